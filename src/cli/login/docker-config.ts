import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../errors.ts';
import type { RegistryCredential } from './device-client.ts';
import { storeWithHelper } from './docker-helper.ts';

const text = z.string().optional();
/** Only what is read; everything else stays as it is. */
const dockerConfig = z.looseObject({
  auths: z.record(z.string(), z.unknown()).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: text,
});
type DockerConfig = z.infer<typeof dockerConfig>;

/**
 * Keeps a credential the way `docker login` does: with the credential helper for the host, or the general one, or else
 * in the file itself.
 * @param folder Docker's configuration folder; made when missing
 * @returns where it is now, in words
 * @throws {CommandError}
 */
export async function storeCredential(
  folder: string,
  host: string,
  credential: RegistryCredential,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const file = await resolveLink(join(folder, 'config.json'));
  const config = await readConfig(file);
  const { credHelpers = {}, credsStore } = config;
  const helper = Object.hasOwn(credHelpers, host) ? credHelpers[host] : credsStore || undefined;
  if (helper !== undefined) await storeWithHelper(helper, host, credential, env);
  const { username, secret } = credential;
  const auth = Buffer.from(`${username}:${secret.reveal()}`).toString('base64');
  // With a helper, an empty entry shows that there is a login; an old one in the file would be shown instead.
  const entry = helper === undefined ? { auth } : {};
  await writeConfig(file, { ...config, auths: { ...config.auths, [host]: entry } });
  return helper === undefined ? file : `the credential helper ${helper}`;
}

/**
 * Sees to it that a credential can be kept, before there is one.
 * @throws {CommandError}
 */
export async function requireUsableConfig(folder: string): Promise<void> {
  await readConfig(await resolveLink(join(folder, 'config.json')));
}

async function readConfig(file: string): Promise<DockerConfig> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return {};
    throw new CommandError(`${file} can not be read: ${messageOf(cause)}`);
  }
  try {
    return dockerConfig.parse(JSON.parse(content));
  } catch {
    // What the parser says may quote a login.
    throw new CommandError(
      `${file} is no Docker configuration; mend it, or name another with --docker-config`,
    );
  }
}

/** The file is there whole, the old or the new one, and for its owner only. */
async function writeConfig(file: string, config: DockerConfig): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(config, null, '\t')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new CommandError(`${file} can not be written: ${messageOf(cause)}`);
  }
}

/** A configuration that is a link, into a folder of dotfiles say, stays one. */
async function resolveLink(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (cause) {
    if (isMissing(cause)) return file;
    throw new CommandError(`${file} can not be read: ${messageOf(cause)}`);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
