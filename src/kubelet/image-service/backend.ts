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
   * @returns the answer, an error status too
   * @throws {BackendAwayError} when the runtime is out of reach
   */
  unary(call: UnaryCall, signal: AbortSignal): Promise<Answer>;
  /** Answers a call of any kind that nothing here needs to look into. */
  pass(call: IncomingCall): Promise<Answer['code']>;
  /** The address that goes with a provider's credential, so that nobody but this image's registry is shown it. */
  serverAddress(image: string): string | undefined;
  /** Rejects when the runtime does not answer, with what to do. */
  probe(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
