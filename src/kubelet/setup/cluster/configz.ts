import { type KubeletConfig, kubeletConfigOf } from '../platform/index.ts';
import type { ApiClient } from './api-client.ts';

const TIMEOUT_MS = 10_000;

/**
 * Asks the node's kubelet, through the API server, what it runs with.
 * @returns undefined when it can't be asked: we may not, or it is just starting
 */
export async function readConfigz(client: ApiClient, node: string): Promise<KubeletConfig | undefined> {
  const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/configz`;
  try {
    const { status, body } = await client.request('GET', path, AbortSignal.timeout(TIMEOUT_MS));
    if (status !== 200 || !isRecord(body) || !isRecord(body.kubeletconfig)) return undefined;
    return kubeletConfigOf(body.kubeletconfig);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
