import { onTestFinished } from 'vitest';
import { type ByteStream, type FileReference, Secret } from '../../../../src/core/index.ts';
import type { Credential, CredentialProvider } from '../../../../src/credentials/index.ts';
import type { HostLookup } from '../../../../src/network/index.ts';
import { parseRepositoryName, type RepositoryName } from '../../../../src/oci/index.ts';
import { type Upstream, upstreamOptions } from '../../../../src/proxy/upstream/index.ts';
import { createRegistryUpstream } from '../../../../src/proxy/upstream/remote/index.ts';
import { createLogger, createMetrics, type Metrics } from '../../../../src/telemetry/index.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';

/** How the upstream under test differs from the usual one. */
export interface ConnectOptions {
  readonly realms?: string[];
  readonly redirects?: string[];
  readonly verify?: boolean;
  readonly answerTimeout?: string;
  readonly progressTimeout?: string;
  readonly connectTimeout?: string;
  readonly connections?: number;
  readonly certificateAuthorityPem?: string;
  readonly credential?: () => Credential | undefined;
  /** Instead of `credential`. */
  readonly provider?: Pick<CredentialProvider, 'credential' | 'discard'>;
  readonly resolve?: HostLookup;
}

export interface Connected {
  readonly upstream: Upstream;
  readonly clock: FakeClock;
  readonly metrics: Metrics;
  /** All lines of the log. */
  readonly logText: () => string;
  /** How often a fault was hidden from clients, by reason. */
  recoveries(reason: string): Promise<number>;
}

export const REPOSITORY = repositoryName('team/app');

/** The upstream for a registry at this address, with a clock that stands still. */
export function connect(url: string, options: ConnectOptions = {}): Connected {
  const { credential = () => undefined, provider, resolve, certificateAuthorityPem, ...file } = options;
  const parsed = upstreamOptions.parse({
    url,
    ...file,
    ...(certificateAuthorityPem !== undefined && { certificateAuthorityFile: 'ca.pem' }),
  });
  if (certificateAuthorityPem !== undefined) loaded(parsed.certificateAuthorityFile, certificateAuthorityPem);
  const lines: string[] = [];
  const clock = createFakeClock();
  const metrics = createMetrics();
  const upstream = createRegistryUpstream(
    'test',
    { ...parsed, url },
    {
      credentials: { credential: async () => credential(), ...provider, type: 'test', close: async () => {} },
      clock,
      random: () => 0.5,
      log: createLogger('debug', { write: (line: string) => void lines.push(line) }),
      metrics,
      ...(resolve && { resolve }),
    },
  );
  onTestFinished(() => upstream.close());
  return {
    upstream,
    clock,
    metrics,
    logText: () => lines.join(''),
    recoveries: async (reason) => {
      const { values } = await metrics.upstreamRecoveries.get();
      return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
  };
}

export function credentialOf(username: string, password: string): Credential {
  return { username, password: new Secret(password) };
}

/** A signal that nobody aborts. */
export function signal(): AbortSignal {
  return new AbortController().signal;
}

export async function readAll(body: ByteStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export function repositoryName(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (!name) throw new Error(`${text} is no repository name`);
  return name;
}

function loaded(file: FileReference | undefined, text: string): void {
  file?.resolve('/ca.pem', Buffer.from(text));
}
