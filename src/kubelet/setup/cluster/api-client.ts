import { readFile } from 'node:fs/promises';
import { join } from 'node:path/posix';
import type { HttpAnswer, HttpClient } from '../../../network/index.ts';
import { SetupError } from '../errors.ts';

/** The API server of the cluster that we run in. */
export interface ApiClient {
  /** @returns status and body; the body of what is no JSON is undefined */
  request(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Of our own pod. */
  readonly namespace: string;
  close(): Promise<void>;
}

const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const TIMEOUT_MS = 10_000;
const LARGEST_ANSWER_BYTES = 1024 * 1024;

/**
 * Connects as a pod does.
 * @param accountFolder where the pod's service account is mounted
 * @returns undefined outside of a cluster
 */
export async function connectToCluster(
  env: Readonly<Record<string, string | undefined>>,
  accountFolder = ACCOUNT_FOLDER,
): Promise<ApiClient | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) return undefined;
  const read = (name: string): Promise<string> => readFile(join(accountFolder, name), 'utf8');
  const [certificateAuthority, namespace] = await Promise.all([read('ca.crt'), read('namespace')]).catch(
    (cause: unknown) => {
      throw new SetupError('refused', `the pod has no service account in ${accountFolder}`, { cause });
    },
  );
  const base = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { createHttpClient } = await import('../../../network/index.ts');
  const client = createHttpClient({
    reach: 'any',
    certificateAuthority,
    timeoutMs: TIMEOUT_MS,
    maximumBytes: LARGEST_ANSWER_BYTES,
  });
  return createApiClient(client, base, namespace.trim(), () => read('token'));
}

function createApiClient(
  client: HttpClient,
  base: string,
  namespace: string,
  token: () => Promise<string>,
): ApiClient {
  return {
    namespace,
    async request(method, path, signal, body) {
      const answer = await client.request(new URL(`${base}${path}`), {
        method,
        headers: {
          // Kubelet replaces the file: it is read each time.
          authorization: `Bearer ${(await token()).trim()}`,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal,
      });
      return { status: answer.status, body: parseJson(answer) };
    },
    close: () => client.close(),
  };
}

function parseJson({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
