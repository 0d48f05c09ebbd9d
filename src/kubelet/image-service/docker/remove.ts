import { z } from 'zod';
import { ImageServiceError, STATUS } from '../errors.ts';
import { containerSummary, readAnswer } from './answers.ts';
import type { Engine } from './engine.ts';
import { isNotFound } from './errors.ts';
import { imagePath, realNames } from './image-name.ts';
import { findImage } from './list.ts';

/**
 * Removes an image with all its names. One that isn't there is removed already.
 * @throws {ImageServiceError} FAILED_PRECONDITION when a container uses it; nothing has been removed then
 */
export async function removeImage(engine: Engine, image: string, signal: AbortSignal): Promise<void> {
  const found = await findImage(engine, image, signal);
  if (!found) return;
  await refuseInUse(engine, found.Id, signal);
  // By its id alone Docker Engine removes no image that has several names.
  const names = [...realNames(found.RepoTags), ...realNames(found.RepoDigests), found.Id];
  for (const name of names) {
    try {
      await engine.json({ method: 'DELETE', path: imagePath(name), signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Docker Engine takes away all names but the last before it finds out. */
async function refuseInUse(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const query = { all: 'true', filters: JSON.stringify({ ancestor: [id] }) };
  const answer = await engine.json({ method: 'GET', path: '/containers/json', query, signal });
  const containers = readAnswer(z.array(containerSummary).nullable(), answer, 'containers') ?? [];
  // Those of images that are built on it are meant too, and are no hindrance.
  const user = containers.find(({ ImageID }) => ImageID === id);
  if (!user) return;
  throw new ImageServiceError(
    STATUS.FAILED_PRECONDITION,
    `the image is in use by the container ${user.Names?.[0]?.replace(/^\//, '') ?? user.Id.slice(0, 12)}`,
  );
}
