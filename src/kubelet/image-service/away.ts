import { ImageServiceError, STATUS } from './errors.ts';

/** The runtime is not there: it restarts, or its socket is another. */
export class BackendAwayError extends ImageServiceError {
  constructor(socket: string, options?: ErrorOptions) {
    const code = (options?.cause as NodeJS.ErrnoException | undefined)?.code;
    const reason = code === undefined ? '' : ` (${code})`;
    super(
      STATUS.UNAVAILABLE,
      `the container runtime does not answer on ${socket}${reason}: see whether it runs, and whether backend.socket is its socket`,
      options,
    );
    this.name = 'BackendAwayError';
  }
}
