/** What a service says of an access token. */
export type TokenFacts =
  | {
      readonly type: 'known';
      readonly name: unknown;
      readonly groups: unknown;
      /** Everything else that it says. */
      readonly claims: Readonly<Record<string, unknown>>;
      /** When the token ends, where the service says so; milliseconds since the epoch. */
      readonly endsAt?: number | undefined;
    }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'cannot-tell'; readonly reason: string };

/** A service that knows access tokens. */
export interface TokenSource {
  /** Whether a text can be one of its tokens. What can't is not sent anywhere: it may be somebody's password. */
  isToken(text: string): boolean;
  /** Whether nothing but its tokens looks like them. */
  readonly isUnmistakable: boolean;
  /** @throws {ServiceError} or what the network says */
  look(token: string, signal: AbortSignal): Promise<TokenFacts>;
  close(): Promise<void>;
}

const MAXIMUM_LENGTH = 4096;

/** RFC 6750, section 2.1: what can stand behind `Bearer`, and so in a header. */
export function isBearerToken(text: string): boolean {
  return text.length <= MAXIMUM_LENGTH && /^[A-Za-z0-9._~+/-]+=*$/.test(text);
}

export function refused(reason: string): TokenFacts {
  return { type: 'refused', reason };
}
