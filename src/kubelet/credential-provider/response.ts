import type { Credential } from '../../credentials/index.ts';
import { API_VERSION } from './request.ts';

/** For which images kubelet may use an answer again. */
export type CacheKeyType = 'Image' | 'Registry' | 'Global';

/** What is answered on standard output. */
export interface PluginResponse {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'CredentialProviderResponse';
  readonly cacheKeyType: CacheKeyType;
  /** As Go writes a duration. `0s`: ask again for each pull. */
  readonly cacheDuration: string;
  /** By what kubelet matches the image with: a registry, or a registry with a repository. */
  readonly auth: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
}

/** What the answer is good for. */
export interface Reach {
  readonly cacheKeyType: 'Image' | 'Registry';
  /** A registry's host for the whole of it, else with the repository behind. */
  readonly key: string;
}

/** A credential that does not end by itself may have been changed. */
const KEPT_WITHOUT_END_MS = 5 * 60_000;
/** A pull that begins at the end of the time should go on for a while. */
const MARGIN_MS = 60_000;

/** @param forMs how long kubelet may use the answer again, in milliseconds */
export function pluginResponse(
  credential: Credential | undefined,
  reach: Reach,
  forMs: number,
): PluginResponse {
  return {
    apiVersion: API_VERSION,
    kind: 'CredentialProviderResponse',
    cacheKeyType: reach.cacheKeyType,
    cacheDuration: `${Math.floor(Math.max(0, forMs) / 1000)}s`,
    auth: credential
      ? { [reach.key]: { username: credential.username, password: credential.password.reveal() } }
      : {},
  };
}

/** How long a credential may be used again, in milliseconds from `now`. */
export function keptMs(credential: Credential, now: number): number {
  if (credential.expiresAt === undefined) return KEPT_WITHOUT_END_MS;
  return Math.max(0, credential.expiresAt - now - MARGIN_MS);
}
