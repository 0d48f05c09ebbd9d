/**
 * The codes that a registry may answer with, and the status that belongs to each.
 * @see OCI distribution specification 1.1, "Error codes"; UNAVAILABLE and TOOMANYREQUESTS as distribution has them
 */
export const STATUS_BY_ERROR_CODE = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 413,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const;

export type ErrorCode = keyof typeof STATUS_BY_ERROR_CODE;

export interface RegistryErrorOptions {
  /** Overrides the status that the code stands for. */
  readonly status?: number;
  /** Response headers that belong to the error, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Goes to the client. */
  readonly detail?: unknown;
  /** Goes to the log only. */
  readonly cause?: unknown;
}

/** An answer in the protocol's error form. The message and the detail are shown to the client. */
export class RegistryError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: RegistryErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'RegistryError';
    this.status = options.status ?? STATUS_BY_ERROR_CODE[code];
    this.headers = options.headers ?? {};
    this.detail = options.detail;
  }

  /** The body of the answer: `{"errors":[{code, message, detail}]}`. */
  body(): string {
    const detail = this.detail === undefined ? {} : { detail: this.detail };
    return `${JSON.stringify({ errors: [{ code: this.code, message: this.message, ...detail }] })}\n`;
  }
}
