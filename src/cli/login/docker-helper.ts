import { spawn } from 'node:child_process';
import { CommandError } from '../errors.ts';
import type { RegistryCredential } from './device-client.ts';

const TIMEOUT_MS = 60_000;
const MAXIMUM_OUTPUT_BYTES = 4096;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Hands a credential to `docker-credential-NAME store`, found on PATH as docker finds it. The secret goes in on standard
 * input.
 * @throws {CommandError}
 * @see https://github.com/docker/docker-credential-helpers
 */
export async function storeWithHelper(
  name: string,
  host: string,
  { username, secret }: RegistryCredential,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (!NAME.test(name))
    throw new CommandError(
      `Docker's configuration names the helper ${JSON.stringify(name)}, which can be none`,
    );
  const program = `docker-credential-${name}`;
  const input = JSON.stringify({ ServerURL: host, Username: username, Secret: secret.reveal() });
  const { code, output } = await run(program, input, env);
  // What a helper prints may hold what it was given.
  const said = output
    .replaceAll(secret.reveal(), '…')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  if (code !== 0) throw new CommandError(`${program} did not take the token${said && `: ${said}`}`);
}

function run(
  program: string,
  input: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['store'], { env: { ...env }, timeout: TIMEOUT_MS });
    let output = '';
    const keep = (chunk: Buffer) => {
      if (output.length < MAXIMUM_OUTPUT_BYTES) output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // A helper that does not read is told by its exit code.
    child.stdin.on('error', () => undefined);
    child.on('error', (cause) => reject(new CommandError(`${program} can not be run: ${cause.message}`)));
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}
