import { createRuleFinder } from '../../image-rules/index.ts';
import type { CredentialSource, PullCredentials } from '../image-service.ts';
import type { PullCredentialOptions } from './options.ts';

/** A pull goes on with somebody else's credential than the one before, or than the one that its order begins with. */
export interface Fallback {
  readonly from: CredentialSource;
  readonly to: CredentialSource;
  /** `no-credential`: there was none to show, because a provider has none or failed. */
  readonly reason: 'turned-away' | 'no-credential';
}

/** The same credentials; `onFallback` is told of each fallback, and may not throw. */
export function watchFallbacks(
  credentials: PullCredentials,
  options: PullCredentialOptions,
  onFallback: (fallback: Fallback) => void,
): PullCredentials {
  const find = createRuleFinder(options);
  return {
    pull(image, shown, attempt, call) {
      const order = find(image)?.rule.order;
      // `provider-only` leaves nothing to fall back on.
      if (order === undefined || order === 'provider-only') {
        return credentials.pull(image, shown, attempt, call);
      }
      let from: CredentialSource = order === 'kubelet-first' && shown ? 'kubelet' : 'provider';
      let reason: Fallback['reason'] = 'no-credential';
      return credentials.pull(
        image,
        shown,
        (next) => {
          if (next.source !== from) onFallback({ from, to: next.source, reason });
          from = next.source;
          reason = 'turned-away';
          return attempt(next);
        },
        call,
      );
    },
    close: () => credentials.close(),
  };
}
