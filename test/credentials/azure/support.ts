import { onTestFinished } from 'vitest';
import type { FileReference } from '../../../src/core/index.ts';
import { createAcrProvider, createAzureProvider } from '../../../src/credentials/azure/index.ts';
import { type CredentialProvider, credentialOptions } from '../../../src/credentials/index.ts';
import { createStillClock, type StillClock } from '../../proxy/identity/support/still-clock.ts';
import {
  type AzureInstanceMetadata,
  type ContainerRegistry,
  type Entra,
  type EntraApplication,
  type ManagedPrincipal,
  startAzureInstanceMetadata,
  startContainerRegistry,
  startEntra,
} from '../../servers/azure/index.ts';

export const MACHINE: ManagedPrincipal = {
  clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
  principalId: 'bbbbbbbb-0000-4000-8000-000000000001',
  resourceId:
    '/subscriptions/cccccccc-0000-4000-8000-000000000001/resourcegroups/nodes/providers/Microsoft.Compute/virtualMachines/node-1',
};
export const APPLICATION_ID = 'dddddddd-0000-4000-8000-000000000001';
export const PRINCIPAL_ID = 'eeeeeeee-0000-4000-8000-000000000001';
export const AUDIENCE = 'api://docker.example.com';
export const ACR_RESOURCE = 'https://containerregistry.azure.net';

export interface AzureWorld {
  readonly clock: StillClock;
  readonly entra: Entra;
  readonly metadata: AzureInstanceMetadata;
  /** @param input may hold contents of files, by the name of their option */
  provider(
    input: Readonly<Record<string, unknown>>,
    env?: Readonly<Record<string, string>>,
  ): CredentialProvider;
  registry(readers?: readonly string[]): Promise<ContainerRegistry>;
}

export interface AzureWorldOptions {
  readonly application?: Omit<EntraApplication, 'clientId' | 'principalId'>;
  readonly identities?: readonly ManagedPrincipal[];
  /** How far the machine's clock is behind. */
  readonly skewMs?: number;
}

const FILES = ['clientSecretFile', 'certificateFile'] as const;

export async function createAzureWorld(options: AzureWorldOptions = {}): Promise<AzureWorld> {
  const clock = { ...createStillClock(Math.floor(Date.now() / 1000) * 1000), sleep: async () => undefined };
  const now = () => clock.now() + (options.skewMs ?? 0);
  const entra = await startEntra({
    now,
    resources: [ACR_RESOURCE, 'https://management.usgovcloudapi.net', AUDIENCE],
    applications: [{ clientId: APPLICATION_ID, principalId: PRINCIPAL_ID, ...options.application }],
  });
  const metadata = await startAzureInstanceMetadata({ entra, identities: options.identities ?? [MACHINE] });
  onTestFinished(async () => {
    await Promise.all([entra.close(), metadata.close()]);
  });
  return {
    clock,
    entra,
    metadata,
    provider(input, env = {}) {
      const named = FILES.filter((key) => input[key] !== undefined).map((key) => [key, key]);
      const parsed = credentialOptions.parse({ ...input, ...Object.fromEntries(named) });
      if (parsed.type !== 'acr' && parsed.type !== 'azure') throw new TypeError(parsed.type);
      for (const key of FILES) load(parsed[key], input[key]);
      if (typeof input.federatedTokenFile === 'string') {
        parsed.federatedTokenFile?.resolve(input.federatedTokenFile, Buffer.alloc(0));
      }
      const dependencies = { clock, env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: metadata.origin, ...env } };
      const provider =
        parsed.type === 'acr'
          ? createAcrProvider(parsed, dependencies)
          : createAzureProvider(parsed, dependencies);
      onTestFinished(() => provider.close());
      return provider;
    },
    async registry(readers = [MACHINE.principalId, PRINCIPAL_ID]) {
      const registry = await startContainerRegistry({ entra, readers, now });
      onTestFinished(() => registry.close());
      return registry;
    },
  };
}

function load(file: FileReference | undefined, contents: unknown): void {
  if (typeof contents === 'string') file?.resolve(`/etc/drp/${file.path}`, Buffer.from(contents));
}
