/** Why a header block can't be used: it breaks RFC 7541, or it is larger than we allow. */
export type HpackErrorReason = 'compression' | 'too-large';

export class HpackError extends Error {
  constructor(
    readonly reason: HpackErrorReason,
    message: string,
  ) {
    super(message);
    this.name = 'HpackError';
  }
}
