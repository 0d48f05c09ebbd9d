import type { VerificationKey } from './key-set.ts';

/** What is known of a key id. `unavailable`: the key may exist, but its issuer can't be asked. */
export type KeyAnswer =
  | { readonly type: 'key'; readonly key: VerificationKey }
  | { readonly type: 'unknown' }
  | { readonly type: 'unavailable'; readonly cause: unknown };

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** Never rejects. Without an id, the only key there is. */
  find(id: string | undefined): Promise<KeyAnswer>;
  /** Gives up what is under way. Closing twice is fine. */
  close(): Promise<void>;
}
