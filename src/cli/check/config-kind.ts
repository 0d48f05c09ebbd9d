import { open } from 'node:fs/promises';

/** Of the beginning of a file; its top-level keys are found there. */
const READ_BYTES = 64 * 1024;

/** Which program a configuration file is for. */
export type ConfigKind = 'proxy' | 'image-service';

/** Tells by the keys at the top: only the image service has a `backend`. What can't be read is taken for the proxy's. */
export async function configKind(file: string): Promise<ConfigKind> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return 'proxy';
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    return /^backend\s*:/m.test(text) && !/^upstreams\s*:/m.test(text) ? 'image-service' : 'proxy';
  } catch {
    return 'proxy';
  } finally {
    await handle.close();
  }
}
