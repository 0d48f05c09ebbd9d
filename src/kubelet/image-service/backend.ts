import type { Answer, IncomingCall, Metadata } from './grpc/index.ts';

/** A unary call, byte for byte. */
export interface UnaryCall {
  /** Such as `/runtime.v1.ImageService/PullImage`. */
  readonly path: string;
  readonly metadata: Metadata;
  /** The message with its prefix. */
  readonly body: Buffer;
}

/** What does the work. */
export interface Backend {
  readonly type: 'docker' | 'cri';
  /**
   * @returns the answer as the runtime gave it, an error status too
   * @throws {ImageServiceError} what the runtime did not word itself: UNAVAILABLE when it is out of reach; the signal's
   *   reason when that is aborted
   */
  unary(call: UnaryCall, signal: AbortSignal): Promise<Answer>;
  /**
   * Answers a call of any kind that nothing here needs to look into.
   * @returns the status that the client was given
   * @throws what the call is to be failed with
   */
  pass(call: IncomingCall): Promise<Answer['code']>;
  /** The `server_address` that a provider's credential has to carry for this runtime; as it is, when missing. */
  serverAddress?(image: string): string;
  /** Told when the runtime took too long; looks whether the connection to it is a dead one. */
  suspect?(): void;
  /** Rejects when the runtime does not answer, with what to do. */
  probe(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
