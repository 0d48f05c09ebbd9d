import { parseImageReference } from '../../oci/index.ts';
import type { CredentialFiles } from './credential-files.ts';
import { imageKey } from './image-key.ts';
import { type PluginRequest, parsePluginRequest } from './request.ts';
import { type PluginResponse, pluginResponse } from './response.ts';

/**
 * The answer that an earlier start has left. It needs no configuration and no provider, so that a program may try it
 * before it loads either.
 * @param text what came on standard input
 * @param now milliseconds since the epoch
 * @throws {CredentialProviderError} for what is no question of kubelet's
 */
export function keptAnswer(text: string, files: CredentialFiles, now: number): PluginResponse | undefined {
  const request = parsePluginRequest(text);
  const kept = files.find(request, keysOf(request), now);
  return kept && pluginResponse(kept.credential, kept.reach, kept.until - now);
}

/** What an answer may have been kept by, the more exact first. */
function keysOf({ image }: PluginRequest): string[] {
  const reference = parseImageReference(image);
  return reference ? [imageKey(reference), reference.registry] : [];
}
