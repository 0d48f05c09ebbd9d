import { z } from 'zod';
import { Secret } from '../../core/index.ts';
import { CredentialOptionsError } from '../errors.ts';
import { canonicalRegistry } from '../registry-key.ts';

/** How the file says that one registry is to be logged in to. */
export type DockerConfigEntry =
  | { readonly type: 'password'; readonly username: string; readonly password: Secret }
  | { readonly type: 'identity-token'; readonly token: Secret }
  | { readonly type: 'helper'; readonly helper: string };

/** What a file says, ready to be asked. */
export interface DockerConfig {
  /** @param registry in any of its spellings */
  entryFor(registry: string): DockerConfigEntry | undefined;
}

/** Part of a program's name, so nothing that could lead elsewhere. */
const HELPER_NAME = /^[a-z0-9-]+$/;

const text = z.string().optional();
const authEntry = z.object({ auth: text, username: text, password: text, identitytoken: text });
const dockerConfigFile = z.object({
  auths: z.record(z.string(), authEntry).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: text,
});

/**
 * Reads Docker's `config.json` or Podman's `auth.json`.
 * Where several keys mean one registry the first counts, and a helper for just that registry goes before `auths`, as
 * in Docker.
 * @throws {CredentialOptionsError} with the file's path and, where there is one, the key; never with contents
 */
export function parseDockerConfig(content: string, path: string): DockerConfig {
  const { auths, credHelpers, credsStore } = parseFile(content, path);
  for (const helper of [...Object.values(credHelpers), ...(credsStore ? [credsStore] : [])]) {
    if (!HELPER_NAME.test(helper)) {
      throw new CredentialOptionsError(
        `${path} names a credential helper with other characters than a-z, 0-9 and -`,
      );
    }
  }
  const entries = new Map<string, DockerConfigEntry>();
  const add = (key: string, entry: DockerConfigEntry | undefined): void => {
    const registry = canonicalRegistry(key);
    if (registry && entry && !entries.has(registry)) entries.set(registry, entry);
  };
  for (const [key, helper] of Object.entries(credHelpers)) add(key, { type: 'helper', helper });
  for (const [key, entry] of Object.entries(auths)) {
    add(
      key,
      readEntry(
        entry,
        credsStore,
        () => `${path} has an "auth" for ${key} that is not base64 of user:password`,
      ),
    );
  }
  return {
    entryFor: (registry) =>
      entries.get(canonicalRegistry(registry) ?? registry) ??
      // Docker asks the store for every registry, whether the file lists it or not.
      (credsStore ? { type: 'helper', helper: credsStore } : undefined),
  };
}

function parseFile(content: string, path: string): z.infer<typeof dockerConfigFile> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // The parser's own message quotes the text around the fault, so it is not kept as a cause.
    throw new CredentialOptionsError(`${path} is not JSON`);
  }
  const parsed = dockerConfigFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') || 'the whole';
  throw new CredentialOptionsError(`${path} is not a Docker configuration file: ${where} has the wrong type`);
}

function readEntry(
  entry: z.infer<typeof authEntry>,
  credsStore: string | undefined,
  describeFault: () => string,
): DockerConfigEntry | undefined {
  if (entry.identitytoken) return { type: 'identity-token', token: new Secret(entry.identitytoken) };
  if (entry.auth) {
    const decoded = decodeAuth(entry.auth);
    if (!decoded) throw new CredentialOptionsError(describeFault());
    return { type: 'password', ...decoded };
  }
  if (entry.username && entry.password) {
    return { type: 'password', username: entry.username, password: new Secret(entry.password) };
  }
  return credsStore ? { type: 'helper', helper: credsStore } : undefined;
}

function decodeAuth(auth: string): { username: string; password: Secret } | undefined {
  if (!/^[A-Za-z0-9+/_-]+={0,2}\s*$/.test(auth)) return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  // Docker pads some old entries with NUL bytes.
  const password = decoded.slice(colon + 1).replace(/\0+$/, '');
  if (colon < 1 || password === '') return undefined;
  return { username: decoded.slice(0, colon), password: new Secret(password) };
}
