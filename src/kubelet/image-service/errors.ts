import type { status } from '@grpc/grpc-js';

/** A gRPC status code. */
export type StatusCode = (typeof status)[keyof typeof status];

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
