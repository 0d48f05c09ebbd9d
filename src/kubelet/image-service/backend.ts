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
  /** The `server_address` that a provider's credential has to carry for this runtime; as it is, when missing. */
  serverAddress?(image: string): string;
  /** Told when the runtime took too long; looks whether the connection to it is a dead one. */
  suspect?(): void;
  /** Rejects when the runtime does not answer, with what to do. */
  probe(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
