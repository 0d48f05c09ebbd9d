import { randomBytes, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Finding, KeyPath } from '../config/index.ts';
import { systemClock } from '../core/index.ts';
import { type CredentialOptions, createCredentialProvider, hasDockerLogin } from '../credentials/index.ts';
import { createVerifiers, VerifierError } from '../proxy/identity/index.ts';
import type { ProxyOptions } from '../proxy/index.ts';
import { createPolicy, RuleError } from '../proxy/policy/index.ts';
import { parseSigningKeys } from '../proxy/token/index.ts';
import type { StateStore } from '../state/index.ts';
import { createLogger } from '../telemetry/index.ts';

/** For verifiers that are made to see whether they can be; nobody asks them anything. */
const EMPTY_STATE: StateStore = {
  get: async () => undefined,
  insert: async () => false,
  replace: async () => false,
  delete: async () => false,
  close: async () => undefined,
};

/**
 * What only the parts themselves can say: whether expressions, patterns and the contents of files can be used. Each
 * entry is tried by itself, so that all problems are found and not only the first.
 */
export async function findPartProblems(options: ProxyOptions): Promise<readonly Finding[]> {
  return [
    ...serverProblems(options),
    ...(await upstreamProblems(options)),
    ...(await verifierProblems(options)),
    ...ruleProblems(options),
    ...tokenProblems(options),
  ];
}

function serverProblems({ server: { tls } }: ProxyOptions): Finding[] {
  if (!tls) return [];
  const { certificateFile, keyFile } = tls;
  const path = (key: string): KeyPath => ['server', 'tls', key];
  const certificate = attempt(path('certificateFile'), () => {
    createSecureContext({ cert: certificateFile.contents });
  });
  const key = attempt(path('keyFile'), () => {
    createSecureContext({ key: keyFile.contents });
  });
  const separate = [...certificate, ...key];
  if (separate.length > 0) return separate;
  return attempt(path('keyFile'), () => {
    createSecureContext({ cert: certificateFile.contents, key: keyFile.contents });
  });
}

async function upstreamProblems({ upstreams }: ProxyOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, { url, credentials, certificateAuthorityFile }] of Object.entries(upstreams)) {
    const single = singleCredentials(['upstreams', name, 'credentials'], credentials);
    for (const [path, options] of single) {
      findings.push(
        ...(await attemptToMake(path, () => [
          createCredentialProvider(options, { clock: systemClock, log: createLogger('silent') }),
        ])),
      );
    }
    findings.push(
      ...loginProblems(url, single),
      ...attempt(['upstreams', name, 'certificateAuthorityFile'], () => {
        if (certificateAuthorityFile?.contents) new X509Certificate(certificateAuthorityFile.contents);
      }),
    );
  }
  return findings;
}

/** Each credential by itself and its place: those of a pool, or the only one. */
function singleCredentials(
  place: KeyPath,
  credentials: CredentialOptions | undefined,
): [KeyPath, CredentialOptions][] {
  if (!credentials) return [];
  if (credentials.type !== 'pool') return [[place, credentials]];
  return credentials.members.map((member, index) => [[...place, 'members', index], member]);
}

/** A `config.json` without a login that can be used for this registry would show only at the first pull. */
function loginProblems(
  url: string | undefined,
  credentials: readonly [KeyPath, CredentialOptions][],
): Finding[] {
  if (url === undefined) return [];
  const registry = new URL(url).host;
  return credentials.flatMap(([path, options]) => {
    if (options.type !== 'docker-config') return [];
    try {
      return hasDockerLogin(options, registry)
        ? []
        : [{ path: [...path, 'file'], message: `has no login for ${registry}` }];
    } catch {
      // It can't be read at all, which has been found already.
      return [];
    }
  });
}

async function verifierProblems({ authentication }: ProxyOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const silent = createLogger('silent');
  for (const [index, verifier] of authentication.verifiers.entries()) {
    const place = ['authentication', 'verifiers', index];
    const path = 'file' in verifier ? [...place, 'file'] : place;
    findings.push(
      ...(await attemptToMake(path, () =>
        createVerifiers(
          { ...authentication, verifiers: [verifier] },
          {
            clock: systemClock,
            log: silent,
            state: EMPTY_STATE,
            secretKeys: () => [randomBytes(32)],
          },
        ),
      )),
    );
  }
  return findings;
}

function ruleProblems({ authorization }: ProxyOptions): Finding[] {
  return authorization.rules.flatMap((rule, index) => {
    try {
      createPolicy({ ...authorization, rules: [rule] });
      return [];
    } catch (error) {
      const key = error instanceof RuleError ? [error.key] : [];
      return [{ path: ['authorization', 'rules', index, ...key], message: messageOf(error) }];
    }
  });
}

function tokenProblems({ tokens: { signingKeyFile } }: ProxyOptions): Finding[] {
  return attempt(['tokens', 'signingKeyFile'], () => {
    if (signingKeyFile.contents) parseSigningKeys(signingKeyFile.text());
  });
}

function attempt(path: KeyPath, work: () => void): Finding[] {
  try {
    work();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}

async function attemptToMake(
  path: KeyPath,
  make: () => readonly { close(): Promise<void> }[],
): Promise<Finding[]> {
  try {
    for (const made of make()) await made.close();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}

function messageOf(error: unknown): string {
  const told = error instanceof VerifierError ? error.cause : error;
  return told instanceof Error ? told.message : String(told);
}
