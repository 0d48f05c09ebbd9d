import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const storedCredential = z.object({ ServerURL: z.string(), Username: z.string(), Secret: z.string() });

/** In the words of the helper protocol. */
export type StoredCredential = z.infer<typeof storedCredential>;

/** Credentials in a folder of their owner's, a file each: programs that write at once do not get into each other's way. */
export interface CredentialFiles {
  get(server: string): Promise<StoredCredential | undefined>;
  store(credential: StoredCredential): Promise<void>;
  /** Fine for one that is not there. */
  erase(server: string): Promise<void>;
  list(): Promise<readonly StoredCredential[]>;
}

/** `$XDG_DATA_HOME/drp/credentials`, which by default is `~/.local/share/drp/credentials`. */
export function credentialFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local/share'), 'drp/credentials');
}

export function createCredentialFiles(folder: string): CredentialFiles {
  const fileOf = (server: string): string =>
    join(folder, `${createHash('sha256').update(server).digest('hex')}.json`);

  return {
    get: (server) => read(fileOf(server)),
    async store(credential) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
      const file = fileOf(credential.ServerURL);
      const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
      try {
        const handle = await open(temporary, 'wx', 0o600);
        try {
          await handle.writeFile(JSON.stringify(credential));
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, file);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    erase: (server) => rm(fileOf(server), { force: true }),
    async list() {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const files = names.filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
      const credentials = await Promise.all(files.map((name) => read(join(folder, name))));
      return credentials.filter((credential) => credential !== undefined);
    },
  };
}

async function read(file: string): Promise<StoredCredential | undefined> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return storedCredential.parse(JSON.parse(content));
  } catch {
    // What the parser says may quote the secret.
    throw new Error(`${file} is damaged; log in again`);
  }
}
