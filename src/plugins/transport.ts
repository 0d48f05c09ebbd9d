/** What a plugin is asked; the keys of the JSON contract. */
export type Method = 'describe' | 'verify' | 'renew' | 'credential';

/** One question, in the words of `proto/drp/plugin/v1/plugin.proto` as JSON. It may hold a password: never log it. */
export interface Question {
  readonly method: Method;
  readonly body: Readonly<Record<string, unknown>>;
  /** What must not stand in a log line that comes of it. */
  readonly secrets: readonly string[];
}

/** Carries questions to a plugin of one kind, and its answers back. */
export interface Transport {
  /**
   * @returns the answer as JSON values, not yet checked; at most {@link MAXIMUM_ANSWER_BYTES} were read
   * @throws {PluginError} `unavailable` or `nonsense`; soon after the signal is aborted, anything
   */
  ask(question: Question, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export const MAXIMUM_ANSWER_BYTES = 1024 * 1024;

/** The version of the contract, sent along with each question that travels as JSON. */
export const PROTOCOL = 'drp.plugin.v1';

/** The question as the text that programs and webhooks get. */
export function questionText({ method, body }: Question): string {
  return JSON.stringify({ protocol: PROTOCOL, [method]: body });
}
