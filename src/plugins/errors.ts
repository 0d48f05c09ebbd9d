/**
 * - `unavailable`: it can't be reached or started, or it died
 * - `timeout`: no answer in time
 * - `nonsense`: an answer that the contract does not know, or one that is too large
 * - `error`: it answered that it can't tell
 * - `busy`: too many questions wait already
 * - `resting`: it failed so often that it is not asked for a while
 * - `closed`: the plugin was closed here
 */
export type PluginErrorCode =
  | 'unavailable'
  | 'timeout'
  | 'nonsense'
  | 'error'
  | 'busy'
  | 'resting'
  | 'closed';

/** A plugin gave no answer that can be used. The message never holds what was asked or answered. */
export class PluginError extends Error {
  constructor(
    readonly code: PluginErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'PluginError';
  }
}
