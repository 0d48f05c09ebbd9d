import { z } from 'zod';
import { Secret } from '../../core/index.ts';
import { PluginError } from '../../plugins/index.ts';
import type { Credential } from '../provider.ts';
import { parseGoDuration } from './go-duration.ts';
import { type ImageMatch, parseImageMatch } from './match-images.ts';

/** For what else an answer holds. */
export type CacheKeyType = 'Image' | 'Registry' | 'Global';

/** What a plugin answered. */
export interface PluginAnswer {
  readonly cacheKeyType: CacheKeyType;
  /** Milliseconds; the default of its entry when missing. */
  readonly cacheDurationMs?: number;
  /** The first that matches an image counts. */
  readonly credentials: readonly { readonly images: ImageMatch; readonly credential: Credential }[];
}

const answer = z.looseObject({
  kind: z.literal('CredentialProviderResponse'),
  apiVersion: z.string(),
  cacheKeyType: z.enum(['Image', 'Registry', 'Global']),
  cacheDuration: z.string().nullish(),
  auth: z
    .record(z.string(), z.looseObject({ username: z.string().default(''), password: z.string().default('') }))
    .nullish(),
});

/**
 * Reads what a plugin wrote.
 * @throws {PluginError} `nonsense`, without a word of it
 */
export function parsePluginAnswer(bytes: Uint8Array, apiVersion: string, now: () => number): PluginAnswer {
  const parsed = answer.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path[0];
    throw new PluginError(
      'nonsense',
      where === undefined
        ? 'answered something else than a CredentialProviderResponse'
        : `answered with a wrong ${String(where)}`,
    );
  }
  const { cacheKeyType, cacheDuration, auth } = parsed.data;
  if (parsed.data.apiVersion !== apiVersion) {
    throw new PluginError('nonsense', `answered in another apiVersion than ${apiVersion}`);
  }
  const duration = cacheDuration == null ? undefined : parseGoDuration(cacheDuration);
  if (cacheDuration != null && duration === undefined) {
    throw new PluginError('nonsense', 'answered with a wrong cacheDuration');
  }
  const expiresAt = duration ? { expiresAt: now() + duration } : {};
  return {
    cacheKeyType,
    ...(duration !== undefined && { cacheDurationMs: duration }),
    credentials: Object.entries(auth ?? {})
      // As kubelet does: of two that match, the one that comes later in the alphabet is the longer one.
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .flatMap(([key, { username, password }]) => {
        const images = parseImageMatch(key);
        return images && username + password !== ''
          ? [{ images, credential: { username, password: new Secret(password), ...expiresAt } }]
          : [];
      }),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the text, which may hold a password.
    throw new PluginError('nonsense', `answered ${bytes.length} bytes that are not JSON`);
  }
}
