import type { Clock } from '../../core/index.ts';
import type { CredentialFiles } from './credential-files.ts';
import { type FindDependencies, findCredential } from './find-credential.ts';
import { keptAnswer } from './kept-answer.ts';
import type { CredentialProviderOptions } from './options.ts';
import { parsePluginRequest } from './request.ts';
import { keptMs, type PluginResponse, pluginResponse } from './response.ts';

export interface AnswerDependencies extends FindDependencies {
  readonly clock: Clock;
  /** Where credentials lie between two starts; without it, each start asks its provider. */
  readonly files: CredentialFiles | undefined;
  /** Only called when no credential is kept. */
  readonly load: () => Promise<CredentialProviderOptions>;
}

/**
 * Answers one question of kubelet's.
 * @param text what came on standard input
 * @throws {CredentialProviderError} when there is no answer; kubelet then goes on without a credential of ours
 */
export async function answerPlugin(text: string, dependencies: AnswerDependencies): Promise<PluginResponse> {
  const { clock, files, load } = dependencies;
  const kept = files && keptAnswer(text, files, clock.now());
  if (kept) return kept;

  const request = parsePluginRequest(text);
  const found = await findCredential(request, await load(), dependencies);
  if (!found) return pluginResponse(undefined, { cacheKeyType: 'Image', key: request.image }, 0);
  const now = clock.now();
  const forMs = keptMs(found.credential, now);
  if (forMs > 0) files?.keep(request, { ...found, until: now + forMs });
  return pluginResponse(found.credential, found.reach, forMs);
}
