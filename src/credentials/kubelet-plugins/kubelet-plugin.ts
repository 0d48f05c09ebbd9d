import { join } from 'node:path';
import { type Clock, createAbortScope, fingerprint, type Secret } from '../../core/index.ts';
import { type Environment, PluginError, redactLines, runProgram } from '../../plugins/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Credential } from '../provider.ts';
import { createAnswerCache } from './answer-cache.ts';
import { type PluginAnswer, parsePluginAnswer } from './plugin-answer.ts';
import type { PluginEntry } from './plugin-config.ts';
import { tokenForPlugin } from './service-account-token.ts';

/** A program that speaks kubelet's credential provider protocol. */
export interface KubeletPlugin {
  readonly name: string;
  matches(image: string): boolean;
  /**
   * @param image registry and repository, without a tag
   * @throws {PluginError}
   */
  credential(image: string, token: Secret | undefined): Promise<Credential | undefined>;
  discard(credential: Credential): void;
  /** Ends what runs. */
  close(): Promise<void>;
}

export interface KubeletPluginDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** What the program sees besides its own variables; it is all that this process has, as in kubelet. */
  readonly env: Environment;
}

/** As kubelet has it. Who asks may give up sooner; the answer is then there for the next one. */
const TIMEOUT_MS = 60_000;
const MAXIMUM_LOGGED_LINES = 20;
const SECRET_NAME = /key|secret|token|pass|pwd|credential|auth/i;
/** Regions and switches are shorter. */
const SECRET_CHARACTERS = 16;
/** Of one whose name says that it is a secret: `1` and `yes` would make every line unreadable. */
const LEAST_SECRET_CHARACTERS = 4;

export function createKubeletPlugin(
  entry: PluginEntry,
  binaryDirectory: string,
  { clock, log, env }: KubeletPluginDependencies,
): KubeletPlugin {
  const { name, apiVersion, args, tokenAttributes, defaultCacheDurationMs } = entry;
  const now = (): number => clock.now();
  const cache = createAnswerCache(now);
  const running = new Map<string, Promise<PluginAnswer>>();
  const ending = new Set<Promise<unknown>>();
  const runs = createAbortScope();
  const command = [join(binaryDirectory, name), ...args];
  const inherited = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value]],
  );
  const variables: Readonly<Record<string, string>> = { ...Object.fromEntries(inherited), ...entry.env };

  async function run(image: string, token: Secret | undefined): Promise<PluginAnswer> {
    const question = {
      kind: 'CredentialProviderRequest',
      apiVersion,
      image,
      ...(token && { serviceAccountToken: token.reveal() }),
    };
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const output = await runs.run(timeout, (signal) => outputOf(JSON.stringify(question), token, signal));
      return parsePluginAnswer(output, apiVersion, now);
    } catch (error) {
      if (timeout.aborted) {
        throw new PluginError('timeout', `the plugin ${name} gave no answer within ${TIMEOUT_MS / 1000} s`);
      }
      if (runs.isAborted || !(error instanceof PluginError)) throw error;
      throw new PluginError(error.code, `the plugin ${name} ${error.message}`, { cause: error.cause });
    }
  }

  function outputOf(question: string, token: Secret | undefined, signal: AbortSignal): Promise<Buffer> {
    const { output, ended } = runProgram({ command, env: variables }, question, signal);
    const secrets = [...secretsOf(entry.env), ...(token ? [token.reveal()] : [])];
    const logged = ended.then((stderr) => {
      ending.delete(logged);
      for (const line of redactLines(stderr.toString(), secrets).slice(0, MAXIMUM_LOGGED_LINES)) {
        log.warn({ plugin: name, stderr: line }, 'a credential provider plugin wrote to standard error');
      }
    });
    ending.add(logged);
    return output;
  }

  async function answerFor(image: string, token: Secret | undefined): Promise<PluginAnswer> {
    const question = { image, holder: token ? fingerprint(token) : '' };
    const kept = cache.get(question);
    if (kept) return kept;
    const key = JSON.stringify(question);
    let asking = running.get(key);
    if (!asking) {
      asking = run(image, token)
        .then((answer) => {
          cache.set(question, answer, answer.cacheDurationMs ?? defaultCacheDurationMs);
          return answer;
        })
        .finally(() => running.delete(key));
      running.set(key, asking);
    }
    return asking;
  }

  return {
    name,
    matches: (image) => entry.matchImages.some((match) => match.matches(image)),
    async credential(image, shown) {
      runs.throwIfAborted();
      const token = tokenForPlugin(shown, tokenAttributes);
      if (tokenAttributes?.required && !token) return undefined;
      const { credentials } = await answerFor(image, token);
      return credentials.find(({ images }) => images.matches(image))?.credential;
    },
    discard: (credential) => cache.discard(credential),
    async close() {
      runs.abort(new PluginError('closed', `the plugin ${name} is closed`));
      await Promise.all(ending);
    },
  };
}

/** Which of an entry's variables are not for the log, by name or because they are long enough to be a key. */
function secretsOf(variables: PluginEntry['env']): readonly string[] {
  return Object.entries(variables)
    .filter(
      ([key, value]) =>
        value.length >= SECRET_CHARACTERS ||
        (SECRET_NAME.test(key) && value.length >= LEAST_SECRET_CHARACTERS),
    )
    .map(([, value]) => value);
}
