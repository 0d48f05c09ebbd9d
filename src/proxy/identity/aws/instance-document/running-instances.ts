import type { EC2Client } from '@aws-sdk/client-ec2';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../../core/index.ts';
import {
  AWS_MAXIMUM_ATTEMPTS,
  AWS_REQUEST_HANDLER,
  createAwsCredentialChain,
  describeAwsError,
  roleInAccount,
} from '../../../../credentials/index.ts';
import type { VerifyInstanceOptions } from './options.ts';

export interface InstancePlace {
  readonly accountId: string;
  readonly region: string;
  readonly instanceId: string;
}

/** Asks EC2 whether instances run. */
export interface RunningInstances {
  /** @throws {AwsError} when EC2 can't be asked, or we may not ask it */
  isRunning(place: InstancePlace, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

const REMEMBER_MS = 60_000;
const REMEMBERED = 10_000;
const MAXIMUM_CLIENTS = 100;
const STATES: readonly string[] = ['pending', 'running'];

/** Answers are remembered for a minute; the SDK is loaded with the first question. */
export function createRunningInstances(
  options: VerifyInstanceOptions,
  { clock }: { readonly clock: Pick<Clock, 'now'> },
): RunningInstances {
  const clients = new LRUCache<string, EC2Client>({
    max: MAXIMUM_CLIENTS,
    dispose: (client) => client.destroy(),
  });
  const known = new LRUCache<string, { readonly running: boolean; readonly from: number }>({
    max: REMEMBERED,
  });
  const asking = new Map<string, Promise<boolean>>();
  const closing = new AbortController();

  async function clientFor({ accountId, region }: InstancePlace): Promise<EC2Client> {
    const { EC2Client: Client } = await import('@aws-sdk/client-ec2');
    // The account matters only where the role to assume depends on it.
    const key = `${options.role?.arn.includes('{account}') ? accountId : ''} ${region}`;
    const present = clients.get(key);
    if (present) return present;
    const client = new Client({
      region,
      maxAttempts: AWS_MAXIMUM_ATTEMPTS,
      requestHandler: AWS_REQUEST_HANDLER,
      credentials: createAwsCredentialChain(roleInAccount(options, accountId), region),
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    });
    clients.set(key, client);
    return client;
  }

  async function ask(place: InstancePlace): Promise<boolean> {
    const { DescribeInstancesCommand } = await import('@aws-sdk/client-ec2');
    try {
      const client = await clientFor(place);
      const command = new DescribeInstancesCommand({ InstanceIds: [place.instanceId] });
      const { Reservations = [] } = await client.send(command, { abortSignal: closing.signal });
      return Reservations.some(
        ({ OwnerId, Instances = [] }) =>
          OwnerId === place.accountId &&
          Instances.some(
            ({ InstanceId, State }) => InstanceId === place.instanceId && STATES.includes(State?.Name ?? ''),
          ),
      );
    } catch (error) {
      if (error instanceof Error && /^InvalidInstanceID\b/.test(error.name)) return false;
      throw describeAwsError(error, 'ec2:DescribeInstances', options.profile);
    }
  }

  return {
    async isRunning(place, signal) {
      signal.throwIfAborted();
      const key = JSON.stringify([place.accountId, place.region, place.instanceId]);
      const answer = known.get(key);
      const age = answer ? clock.now() - answer.from : Number.NaN;
      if (answer && age >= 0 && age < REMEMBER_MS) return answer.running;
      const asked =
        asking.get(key) ??
        ask(place)
          .then((running) => {
            known.set(key, { running, from: clock.now() });
            return running;
          })
          .finally(() => asking.delete(key));
      asking.set(key, asked);
      return asked;
    },
    close() {
      closing.abort(new Error('the verifier is closed'));
      clients.clear();
    },
  };
}
