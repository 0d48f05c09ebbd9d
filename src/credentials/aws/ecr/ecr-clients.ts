import type { ECRClient } from '@aws-sdk/client-ecr';
import type { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { createCredentialChain, roleInAccount } from '../credential-chain.ts';
import { AWS_MAXIMUM_ATTEMPTS, AWS_REQUEST_HANDLER } from '../sdk-settings.ts';
import type { EcrHost } from './ecr-host.ts';
import type { EcrCredentialOptions } from './options.ts';

/** What the API answers. */
export interface EcrToken {
  readonly authorizationToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

/** A registry of Amazon ECR, or one with a name of its own in a region. */
export type EcrPlace = EcrHost | { readonly type: 'named'; readonly region: string };

/** Clients of the API, one for each place; the SDK is loaded with the first. */
export interface EcrClients {
  /** @throws whatever the SDK throws */
  token(place: EcrPlace, signal: AbortSignal): Promise<EcrToken>;
  close(): void;
}

/** The only region that has the public API. */
const PUBLIC_REGION = 'us-east-1';

type TokenSource = (signal: AbortSignal) => Promise<EcrToken>;

export function createEcrClients(options: EcrCredentialOptions): EcrClients {
  const sources = new Map<string, Promise<TokenSource>>();
  const clients: (ECRClient | ECRPUBLICClient)[] = [];
  const common = {
    maxAttempts: AWS_MAXIMUM_ATTEMPTS,
    requestHandler: AWS_REQUEST_HANDLER,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
  };

  async function createSource(place: EcrPlace): Promise<TokenSource> {
    const account = place.type === 'private' ? place.account : undefined;
    const region = place.type === 'public' ? PUBLIC_REGION : place.region;
    const credentials = createCredentialChain(roleInAccount(options, account), region);
    if (place.type === 'public') {
      const { ECRPUBLICClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr-public');
      const client = new ECRPUBLICClient({ ...common, region, credentials });
      clients.push(client);
      return async (abortSignal) =>
        (await client.send(new GetAuthorizationTokenCommand({}), { abortSignal })).authorizationData ?? {};
    }
    const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
    const client = new ECRClient({
      ...common,
      region,
      credentials,
      // The SDK refuses these for an endpoint that is given.
      ...(place.type === 'private' &&
        options.endpoint === undefined && {
          useFipsEndpoint: place.fips,
          useDualstackEndpoint: place.dualStack,
        }),
    });
    clients.push(client);
    return async (abortSignal) =>
      (await client.send(new GetAuthorizationTokenCommand({}), { abortSignal })).authorizationData?.[0] ?? {};
  }

  return {
    async token(place, signal) {
      const key = JSON.stringify(place);
      const source = sources.get(key) ?? createSource(place);
      sources.set(key, source);
      return (await source)(signal);
    },
    close() {
      for (const client of clients.splice(0)) client.destroy();
      sources.clear();
    },
  };
}
