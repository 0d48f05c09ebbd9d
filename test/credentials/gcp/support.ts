import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { createGcpProvider } from '../../../src/credentials/gcp/index.ts';
import type { gcpOptions } from '../../../src/credentials/gcp/options.ts';
import { type CredentialProvider, credentialOptions } from '../../../src/credentials/index.ts';
import { createHttpClient, type HttpClient } from '../../../src/network/index.ts';
import { createStillClock, type StillClock } from '../../proxy/identity/support/still-clock.ts';
import {
  createGoogleIdentity,
  type GoogleAccount,
  type GoogleIdentity,
  type GoogleInstance,
  type GoogleMetadataServer,
  type GoogleServices,
  startGoogleMetadataServer,
  startGoogleServices,
} from '../../servers/google/index.ts';
import { loadedFile } from '../loaded-file.ts';

export const MACHINE_ACCOUNT: GoogleAccount = {
  email: 'reader@acme-images.iam.gserviceaccount.com',
  id: '100000000000000000001',
};
export const INSTANCE: GoogleInstance = {
  project_id: 'acme-images',
  project_number: 123456789012,
  zone: 'europe-west1-b',
  instance_id: '4567890123456789012',
  instance_name: 'node-1',
  instance_creation_timestamp: 1_760_000_000,
};
export const REGISTRY = 'europe-docker.pkg.dev';

export type GcpInput = Omit<Partial<z.input<typeof gcpOptions>>, 'credentialsFile'> & {
  /** The contents. */
  readonly credentialsFile?: string;
};

/** Google, and a machine in it. */
export interface GoogleWorld {
  readonly clock: StillClock;
  readonly identity: GoogleIdentity;
  readonly metadata: GoogleMetadataServer;
  readonly services: GoogleServices;
  provider(input?: GcpInput, env?: Readonly<Record<string, string>>): CredentialProvider;
}

export interface WorldOptions extends NonNullable<Parameters<typeof startGoogleServices>[1]> {
  readonly account?: GoogleAccount | undefined;
}

export async function createGoogleWorld(options: WorldOptions = {}): Promise<GoogleWorld> {
  const clock = { ...createStillClock(Date.now()), sleep: async () => undefined };
  const identity = await createGoogleIdentity(() => clock.now());
  const account = 'account' in options ? options.account : MACHINE_ACCOUNT;
  const metadata = await startGoogleMetadataServer(identity, { account, instance: INSTANCE });
  const services = await startGoogleServices(identity, { now: () => clock.now(), ...options });
  onTestFinished(async () => {
    await Promise.all([metadata.close(), services.close()]);
  });
  return {
    clock,
    identity,
    metadata,
    services,
    provider(input = {}, env = {}) {
      const parsed = credentialOptions.parse({
        type: 'gcp',
        ...input,
        ...(input.credentialsFile !== undefined && { credentialsFile: 'google.json' }),
      });
      if (parsed.type !== 'gcp') throw new TypeError(parsed.type);
      const file = input.credentialsFile;
      const provider = createGcpProvider(
        {
          ...parsed,
          credentialsFile: file === undefined ? undefined : loadedFile(file, '/etc/drp/google.json'),
        },
        {
          clock,
          env: { GCE_METADATA_HOST: metadata.host, ...env },
          client: toLoopback('iamcredentials.googleapis.com', services.origin),
        },
      );
      onTestFinished(() => provider.close());
      return provider;
    },
  };
}

/** A client for which a host of Google's is at another address. */
function toLoopback(host: string, origin: string): HttpClient {
  const client = createHttpClient({ reach: 'any', timeoutMs: 5_000, maximumBytes: 1_000_000 });
  return {
    request: (url, request) =>
      client.request(url.hostname === host ? new URL(`${url.pathname}${url.search}`, origin) : url, request),
    close: () => client.close(),
  };
}
