import { z } from 'zod';
import { type CredentialFiles, createCredentialFiles } from './credential-files.ts';

/** What goes to standard output, errors too: docker reads them there. */
export interface HelperAnswer {
  readonly output: string;
  readonly exitCode: 0 | 1;
}

/** Docker knows these texts, and takes them for "no login" and not for a failure. */
const NOT_FOUND = 'credentials not found in native keychain';
const NO_SERVER = 'no credentials server URL';
const NO_USERNAME = 'no credentials username';

const USAGE = `Usage: docker-credential-drp <store|get|erase|list|version>

Keeps logins for docker, readable by their owner only. Docker runs it when its config.json has "credsStore": "drp".
`;

const credentialInput = z.object({ ServerURL: z.string(), Username: z.string(), Secret: z.string() });

class HelperError extends Error {}

/**
 * One call of the credential helper protocol.
 * @param input what is on standard input
 * @see https://github.com/docker/docker-credential-helpers
 */
export async function runCredentialHelper(
  args: readonly string[],
  input: () => Promise<string>,
  folder: string,
): Promise<HelperAnswer> {
  const [action = '', ...rest] = args;
  if (action === '--help' || action === 'help') return { output: USAGE, exitCode: 0 };
  if (rest.length > 0) return { output: USAGE, exitCode: 1 };
  try {
    return { output: await perform(action, input, createCredentialFiles(folder)), exitCode: 0 };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { output: `${message.replace(/\s*\n\s*/g, ' ')}\n`, exitCode: 1 };
  }
}

async function perform(
  action: string,
  input: () => Promise<string>,
  files: CredentialFiles,
): Promise<string> {
  switch (action) {
    case 'get': {
      const credential = await files.get(await serverFrom(input));
      if (!credential) throw new HelperError(NOT_FOUND);
      return `${JSON.stringify(credential)}\n`;
    }
    case 'store':
      await files.store(credentialFrom(await input()));
      return '';
    case 'erase':
      await files.erase(await serverFrom(input));
      return '';
    case 'list': {
      const credentials = await files.list();
      return `${JSON.stringify(Object.fromEntries(credentials.map((one) => [one.ServerURL, one.Username])))}\n`;
    }
    case 'version':
      return 'docker-credential-drp\n';
    default:
      throw new HelperError(`unknown action; ${USAGE.split('\n')[0]}`);
  }
}

async function serverFrom(input: () => Promise<string>): Promise<string> {
  const server = (await input()).trim();
  if (server === '') throw new HelperError(NO_SERVER);
  return server;
}

function credentialFrom(text: string): z.infer<typeof credentialInput> {
  let credential: z.infer<typeof credentialInput>;
  try {
    credential = credentialInput.parse(JSON.parse(text));
  } catch {
    // What the parser says may quote the secret.
    throw new HelperError('expected {"ServerURL": ..., "Username": ..., "Secret": ...}');
  }
  if (credential.ServerURL === '') throw new HelperError(NO_SERVER);
  if (credential.Username === '') throw new HelperError(NO_USERNAME);
  return credential;
}
