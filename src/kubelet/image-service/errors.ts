/**
 * The status codes of gRPC. They stand here because a gRPC library would cost a node more memory than all the rest of
 * the image service.
 * @see https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** A gRPC status code. */
export type StatusCode = (typeof STATUS)[keyof typeof STATUS];

/**
 * What kubelet is answered when a call fails. The message goes into pod events as it is: it holds no secret, and
 * says what to do next.
 */
export class ImageServiceError extends Error {
  constructor(
    readonly code: StatusCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ImageServiceError';
  }
}
