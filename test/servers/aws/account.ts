import { randomBytes, randomInt } from 'node:crypto';

/** Somebody in an account: what IAM and STS know. */
export interface Principal {
  readonly account: string;
  /** Such as `arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0`. */
  readonly arn: string;
  readonly userId: string;
  /** Actions that policies grant, such as `ecr:GetAuthorizationToken`. */
  readonly permissions: ReadonlySet<string>;
}

/** Keys that requests are signed with. */
export interface AccessKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For keys that end. */
  readonly sessionToken: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  readonly principal: Principal;
}

/** A role that others may take on. */
export interface Role {
  readonly name: string;
  readonly account: string;
  readonly permissions?: readonly string[];
  /** Ids of keys, or `*`. */
  readonly trusted: readonly string[];
  readonly externalId?: string;
}

/** IAM for the fakes of one test: they share it, so keys that one hands out hold for all. */
export interface Accounts {
  /** Keys of a user, which do not end. */
  createUser(account: string, name: string, permissions?: readonly string[]): AccessKeys;
  createRole(role: Role): string;
  roleOf(arn: string): Role | undefined;
  /** Keys of a role for a session. */
  startSession(role: Role, sessionName: string, lifetimeMs?: number): AccessKeys;
  keysOf(accessKeyId: string): AccessKeys | undefined;
  revoke(keys: AccessKeys): void;
  /** The clock of the cloud. */
  now(): number;
}

const SESSION_MS = 60 * 60_000;

export function createAccounts(
  options: { readonly now?: () => number; readonly partition?: string } = {},
): Accounts {
  const { now = Date.now, partition = 'aws' } = options;
  const keys = new Map<string, AccessKeys>();
  const roles = new Map<string, Role>();
  const add = (made: AccessKeys): AccessKeys => {
    keys.set(made.accessKeyId, made);
    return made;
  };
  const roleArn = ({ account, name }: Role): string => `arn:${partition}:iam::${account}:role/${name}`;
  return {
    now,
    createUser: (account, name, permissions = []) =>
      add({
        accessKeyId: newId('AKIA'),
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: undefined,
        expiresAt: undefined,
        principal: {
          account,
          arn: `arn:${partition}:iam::${account}:user/${name}`,
          userId: newId('AIDA'),
          permissions: new Set(permissions),
        },
      }),
    createRole(role) {
      roles.set(roleArn(role), role);
      return roleArn(role);
    },
    roleOf: (arn) => roles.get(arn),
    startSession: (role, sessionName, lifetimeMs = SESSION_MS) =>
      add({
        accessKeyId: newId('ASIA'),
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: randomBytes(300).toString('base64'),
        expiresAt: now() + lifetimeMs,
        principal: {
          account: role.account,
          arn: `arn:${partition}:sts::${role.account}:assumed-role/${role.name.split('/').at(-1)}/${sessionName}`,
          userId: `${newId('AROA')}:${sessionName}`,
          permissions: new Set(role.permissions),
        },
      }),
    keysOf: (id) => keys.get(id),
    revoke: ({ accessKeyId }) => void keys.delete(accessKeyId),
  };
}

function newId(prefix: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
