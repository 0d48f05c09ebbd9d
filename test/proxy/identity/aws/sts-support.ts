import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { Secret } from '../../../../src/core/index.ts';
import {
  STS_REQUEST_BODY,
  type StsProof,
  stsHosts,
  stsRequestHeaders,
} from '../../../../src/machine-identity/index.ts';
import { createStsVerifier, stsVerifierOptions } from '../../../../src/proxy/identity/aws/index.ts';
import type { Outcome, Verifier } from '../../../../src/proxy/identity/index.ts';
import {
  type AccessKeys,
  type Accounts,
  createAccounts,
  type Sts,
  startSts,
} from '../../../servers/aws/index.ts';
import { createStillClock, type StillClock } from '../support/still-clock.ts';

export const ACCOUNT = '111122223333';
export const AUDIENCE = 'docker.example.com';
export const INSTANCE = 'i-0123456789abcdef0';
export const ROLE = { account: ACCOUNT, name: 'infra/node', trusted: [] };
export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/node`;
export const SESSION_ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/node/${INSTANCE}`;

export type StsInput = Partial<z.input<typeof stsVerifierOptions>>;

export interface StsBench {
  readonly clock: StillClock;
  readonly accounts: Accounts;
  readonly sts: Sts;
  /** Of a node in the account that is let in. */
  readonly keys: AccessKeys;
  verifierOf(input?: StsInput): Verifier;
  verify(proof: unknown, input?: StsInput): Promise<Outcome>;
}

export async function createStsBench(): Promise<StsBench> {
  const clock = createStillClock();
  const accounts = createAccounts({ now: clock.now });
  const sts = await startSts(accounts);
  onTestFinished(() => sts.close());
  const keys = accounts.startSession(ROLE, INSTANCE);
  const verifierOf = (input: StsInput = {}): Verifier => {
    const options = stsVerifierOptions.parse({
      type: 'aws-sts',
      name: 'nodes',
      username: '_aws',
      audience: AUDIENCE,
      accounts: [ACCOUNT],
      endpoint: sts.url,
      ...input,
    });
    const verifier = createStsVerifier(options, { clock });
    onTestFinished(() => verifier.close());
    return verifier;
  };
  return {
    clock,
    accounts,
    sts,
    keys,
    verifierOf,
    verify: (proof, input) =>
      verifierOf(input).verify(
        { username: '_aws', password: typeof proof === 'string' ? new Secret(proof) : pack(proof) },
        new AbortController().signal,
      ),
  };
}

/** Any value in the form of a proof. */
export function pack(payload: unknown, kind = 'aws-sts'): Secret {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return new Secret(`drp1.${kind}.${Buffer.from(text).toString('base64url')}`);
}

/** What is signed in place of what should be. */
export interface Signing {
  readonly region?: string;
  readonly host?: string;
  readonly audience?: string;
  readonly date?: Date;
  readonly method?: string;
  readonly body?: string;
  readonly path?: string;
  /** Changes of the headers before they are signed; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Signs a request as a machine would, or as an attacker might. */
export async function sign(keys: AccessKeys, clock: StillClock, signing: Signing = {}): Promise<StsProof> {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const { Sha256 } = await import('@aws-crypto/sha256-js');
  const { region = 'eu-west-1', audience = AUDIENCE, date: signingDate = new Date(clock.now()) } = signing;
  const host = signing.host ?? stsHosts(region)[0] ?? '';
  const date = signingDate.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const token = keys.sessionToken;
  const parts = { audience, host, date, ...(token !== undefined && { token }) };
  const headers = Object.fromEntries(
    Object.entries({ ...stsRequestHeaders(parts), ...signing.headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const signer = new SignatureV4({
    service: 'sts',
    region,
    credentials: {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(token !== undefined && { sessionToken: token }),
    },
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: signing.method ?? 'POST',
      protocol: 'https:',
      hostname: host,
      path: signing.path ?? '/',
      headers,
      body: signing.body ?? STS_REQUEST_BODY,
    },
    { signingDate },
  );
  const signature = /Signature=([0-9a-f]{64})/.exec(signed.headers.authorization ?? '')?.[1] ?? '';
  return {
    audience,
    region,
    host,
    date,
    key: keys.accessKeyId,
    ...(token !== undefined && { token }),
    signature,
  };
}
