import { z } from 'zod';
import { type ImageInspect, type ImageSummary, imageInspect, imageSummary, readAnswer } from './answers.ts';
import type { Engine } from './engine.ts';
import { isNotFound } from './errors.ts';
import { familiarReference, imagePath, isAskedFor, isImageId, realNames } from './image-name.ts';

/** @param filter a reference, in which Docker Engine takes `*` as in file names; or an id */
export async function listSummaries(
  engine: Engine,
  filter: { readonly image?: string },
  signal: AbortSignal,
): Promise<ImageSummary[]> {
  const { image = '' } = filter;
  if (isImageId(image)) {
    const found = await findImage(engine, image, signal);
    return found ? [found] : [];
  }
  const query = image === '' ? {} : { filters: JSON.stringify({ reference: [familiarReference(image)] }) };
  const answer = await engine.json({ method: 'GET', path: '/images/json', query, signal });
  return each(readAnswer(z.array(imageSummary).nullable(), answer, 'images') ?? []);
}

/** @returns undefined when there is no such image */
export async function findImage(
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<ImageInspect | undefined> {
  const path = `${imagePath(image)}/json`;
  try {
    const answer = await engine.json({ method: 'GET', path, signal });
    const inspect = readAnswer(imageInspect, answer, 'an image');
    const repoTags = realNames(inspect.RepoTags);
    const repoDigests = realNames(inspect.RepoDigests);
    return isAskedFor(image, { id: inspect.Id, repoTags, repoDigests }) ? inspect : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The image store of containerd may show an image once for each of its names. */
function each(summaries: readonly ImageSummary[]): ImageSummary[] {
  const byId = new Map<string, ImageSummary>();
  for (const summary of summaries) {
    if (summary.Id === '') continue;
    const other = byId.get(summary.Id);
    byId.set(summary.Id, {
      ...summary,
      RepoTags: [...(other?.RepoTags ?? []), ...(summary.RepoTags ?? [])],
      RepoDigests: [...(other?.RepoDigests ?? []), ...(summary.RepoDigests ?? [])],
    });
  }
  return [...byId.values()];
}
