import { execFile } from 'node:child_process';
import { Secret } from '../../core/index.ts';
import { CredentialError } from '../errors.ts';

/** What a helper keeps for a registry. */
export interface HelperLogin {
  readonly username: string;
  readonly secret: Secret;
}

export interface HelperRun {
  /** Absolute path. */
  readonly program: string;
  /** All variables that it sees. */
  readonly env: Readonly<Record<string, string>>;
  /** The key that Docker keeps the login under. */
  readonly registry: string;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 20_000;
const MAXIMUM_OUTPUT_BYTES = 64 * 1024;
/** The protocol's own words for "I know no such registry". */
const NOT_FOUND = 'credentials not found in native keychain';
const MAXIMUM_TOLD_LENGTH = 200;

/**
 * Asks a credential helper, without a shell; the registry goes in by standard input.
 * @returns undefined when it keeps nothing for this registry
 * @throws {CredentialError}; the signal's reason when it is aborted
 * @see docker-credential-helpers, "Development"
 */
export async function runHelper({
  program,
  env,
  registry,
  signal,
}: HelperRun): Promise<HelperLogin | undefined> {
  const ended = await execute(program, env, registry, signal);
  if (ended.type === 'failed') {
    if (ended.output.includes(NOT_FOUND)) return undefined;
    throw new CredentialError(`${program} ${ended.why}${told(ended.output)}`);
  }
  const login = parse(ended.output);
  if (!login) throw new CredentialError(`${program} did not answer with a user name and a secret`);
  return login;
}

type Ended =
  | { readonly type: 'done'; readonly output: string }
  | { readonly type: 'failed'; readonly output: string; readonly why: string };

function execute(
  program: string,
  env: Readonly<Record<string, string>>,
  input: string,
  signal: AbortSignal,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      ['get'],
      {
        cwd: '/',
        env,
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: MAXIMUM_OUTPUT_BYTES,
        signal,
      },
      (error, stdout) => {
        if (!error) resolve({ type: 'done', output: stdout });
        else if (signal.aborted) reject(signal.reason);
        else resolve({ type: 'failed', output: stdout, why: reasonOf(error) });
      },
    );
    // A helper may end without reading the question.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`${input}\n`);
  });
}

function reasonOf(error: Error & { readonly code?: unknown; readonly killed?: boolean }): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `wrote more than ${MAXIMUM_OUTPUT_BYTES} bytes`;
  if (error.killed) return `gave no answer within ${TIMEOUT_MS / 1000} seconds`;
  return typeof error.code === 'number'
    ? `ended with exit code ${error.code}`
    : `can't be run (${error.code})`;
}

/** A failing helper says why on standard output. What looks like an answer may hold a secret, and is not repeated. */
function told(output: string): string {
  const [line = ''] = output.trim().split('\n');
  return line === '' || /[{}]/.test(line)
    ? ''
    : `: ${line.replace(/\p{C}/gu, ' ').slice(0, MAXIMUM_TOLD_LENGTH)}`;
}

function parse(output: string): HelperLogin | undefined {
  try {
    const { Username: username, Secret: secret } = JSON.parse(output) as Record<string, unknown>;
    if (typeof username !== 'string' || typeof secret !== 'string' || !username || !secret) return undefined;
    return { username, secret: new Secret(secret) };
  } catch {
    return undefined;
  }
}
