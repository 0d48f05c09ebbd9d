/**
 * What went wrong.
 *
 * - `refused`: something was found that we do not understand or must not touch; nothing was changed
 * - `busy`: another run is at work on this node, or has died and is undone by the host in a while
 * - `unhealthy`: kubelet or the image service is not well
 * - `failed`: a file or systemd did not do what was asked
 * - `unwritten`: what was asked for is done, and could not be written down yet
 */
export type SetupErrorCode = 'refused' | 'busy' | 'unhealthy' | 'failed' | 'unwritten';

/** What an error says, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Node setup can't go on; the message says what to do next. */
export class SetupError extends Error {
  constructor(
    readonly code: SetupErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SetupError';
  }
}
