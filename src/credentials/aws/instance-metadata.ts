import type { Agent } from 'undici';
import { readBounded } from '../../core/index.ts';
import { AwsError } from './aws-error.ts';
import { METADATA_TIMEOUT_MS } from './sdk-settings.ts';

/** The metadata of the instance that this runs on, in sessions of version 2 only. */
export interface InstanceMetadata {
  /**
   * @param path such as `/latest/dynamic/instance-identity/rsa2048`
   * @throws {AwsError} that says what to do
   */
  read(path: string, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

const DEFAULT_ENDPOINT = 'http://169.254.169.254';
const DEFAULT_ENDPOINT_IPV6 = 'http://[fd00:ec2::254]';
const MAXIMUM_BYTES = 64 * 1024;
const SESSION_SECONDS = 300;
const MAXIMUM_ATTEMPTS = 4;
const FIRST_WAIT_MS = 100;
const TOKEN_PATH = '/latest/api/token';

const HOP_LIMIT_ADVICE =
  'in a container the answer may be lost one hop too far away: set the hop limit of the instance metadata options to 2 (aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2), or use the network of the host';

/**
 * Where it is says `AWS_EC2_METADATA_SERVICE_ENDPOINT`, as for every SDK. Proxies of the environment are not used: what answers
 * has to be this very machine's.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
export function createInstanceMetadata(
  options: { readonly sleep?: (milliseconds: number) => Promise<void>; readonly timeoutMs?: number } = {},
): InstanceMetadata {
  const { sleep = wait, timeoutMs = METADATA_TIMEOUT_MS } = options;
  const endpoint = endpointOf(process.env);
  let opened: Promise<Agent> | undefined;

  async function open(): Promise<Agent> {
    const undici = await import('undici');
    return new undici.Agent({
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 1_000,
    });
  }

  async function send(
    method: 'GET' | 'PUT',
    path: string,
    headers: Readonly<Record<string, string>>,
    parent: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const signal = AbortSignal.any([parent, AbortSignal.timeout(2 * timeoutMs)]);
    opened ??= open();
    const agent = await opened;
    const answer = await agent.request({ origin: endpoint, path, method, headers: { ...headers }, signal });
    return {
      status: answer.statusCode,
      text: (await readBounded(answer.body, MAXIMUM_BYTES)).toString('utf8'),
    };
  }

  async function begin(signal: AbortSignal): Promise<string> {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(SESSION_SECONDS) };
    const { status, text } = await persist(() => send('PUT', TOKEN_PATH, headers, signal), signal);
    if (status === 403)
      throw new AwsError('the instance metadata is switched off (HttpEndpoint)', 'MetadataOff');
    const token = text.trim();
    if (status !== 200 || !/^[\x21-\x7e]{1,1024}$/.test(token)) {
      throw new AwsError(`the instance metadata began no session (${status})`, 'MetadataSession');
    }
    return token;
  }

  /** Too many requests at once are answered 503, and worth another try. */
  async function persist<T extends { readonly status: number }>(
    attempt: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (let number = 1; ; number += 1) {
      const answer = await attempt();
      if ((answer.status !== 503 && answer.status !== 429) || number === MAXIMUM_ATTEMPTS) return answer;
      await sleep(FIRST_WAIT_MS * 2 ** (number - 1));
      signal.throwIfAborted();
    }
  }

  return {
    async read(path, signal) {
      const token = await begin(signal).catch((error: unknown) => {
        if (signal.aborted) throw signal.reason;
        throw error instanceof AwsError ? error : unreachable(endpoint);
      });
      const headers = { 'x-aws-ec2-metadata-token': token };
      const { status, text } = await persist(() => send('GET', path, headers, signal), signal).catch(() => {
        if (signal.aborted) throw signal.reason;
        throw unreachable(endpoint);
      });
      if (status === 200) return text;
      const what = status === 404 ? 'this machine has none' : `answered ${status}`;
      throw new AwsError(`${path} of the instance metadata: ${what}`, 'Metadata');
    },
    async close() {
      const agent = await opened;
      await agent?.destroy();
    },
  };
}

function unreachable(endpoint: string): AwsError {
  return new AwsError(
    `the instance metadata at ${endpoint} does not answer; ${HOP_LIMIT_ADVICE}`,
    'MetadataUnreachable',
  );
}

function endpointOf(environment: NodeJS.ProcessEnv): string {
  const { AWS_EC2_METADATA_SERVICE_ENDPOINT: own, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: mode } =
    environment;
  if (own) return new URL(own).origin;
  return mode?.toLowerCase() === 'ipv6' ? DEFAULT_ENDPOINT_IPV6 : DEFAULT_ENDPOINT;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
