import type { Logger } from '../../telemetry/index.ts';
import { parseAnswerText } from '../answer-text.ts';
import { redactLines } from '../redact.ts';
import { questionText, type Transport } from '../transport.ts';
import type { ExecPluginOptions } from './options.ts';
import { type Run, runProgram } from './run-program.ts';

/** Variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PATH = '/usr/local/bin:/usr/bin:/bin';
const MAXIMUM_LOGGED_LINES = 50;

/** Starts the program anew for each question: JSON on its standard input, JSON from its standard output. */
export function createExecTransport(
  { command, environment }: ExecPluginOptions,
  { log, env }: { readonly log: Logger; readonly env: Environment },
): Transport {
  const running = new Set<Promise<unknown>>();
  const allowed = environment.flatMap((name): [string, string][] => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const program = { command, env: { PATH, ...Object.fromEntries(allowed) } };

  function logStderr(stderr: Buffer, secrets: readonly string[]): void {
    const lines = redactLines(stderr.toString(), secrets);
    for (const line of lines.slice(0, MAXIMUM_LOGGED_LINES)) {
      log.warn({ stderr: line }, 'a plugin wrote to standard error');
    }
    const more = lines.length - MAXIMUM_LOGGED_LINES;
    if (more > 0) log.warn({ lines: more }, 'a plugin wrote more lines to standard error');
  }

  function keepUntilEnded(run: Run, secrets: readonly string[]): void {
    const ended = run.ended.then((stderr) => {
      running.delete(ended);
      logStderr(stderr, secrets);
    });
    running.add(ended);
  }

  return {
    async ask(question, signal) {
      signal.throwIfAborted();
      const run = runProgram(program, `${questionText(question)}\n`, signal);
      keepUntilEnded(run, question.secrets);
      return parseAnswerText(await run.output);
    },
    async close() {
      await Promise.all(running);
    },
  };
}
