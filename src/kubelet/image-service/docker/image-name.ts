import { parseImageReference } from '../../../oci/index.ts';
import { ImageServiceError, STATUS } from '../errors.ts';

const ID = /^(?:sha256:)?([0-9a-f]{64})$/;
/** What a reference or an id, or the beginning of one, is made of. */
const NAME = /^[a-zA-Z0-9_[](?:[a-zA-Z0-9._:@/\]-]|\[)*$/;
const DEFAULT_TAG = 'latest';
const NO_NAME = /^<none>[:@]<none>$/;

/** What an image goes by in an answer of Docker Engine. */
export interface ImageNames {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
}

/**
 * The path of an image in the Engine API.
 * @throws {ImageServiceError} INVALID_ARGUMENT for what can't be a reference or an id
 */
export function imagePath(image: string): string {
  const segments = image.split('/');
  if (!NAME.test(image) || segments.some((segment) => /^\.{0,2}$/.test(segment))) throw noReference(image);
  return `/images/${segments.map(encodeURIComponent).join('/')}`;
}

/**
 * What a pull asks Docker Engine for. A reference without a tag means `latest`: without one, Docker Engine would
 * pull all that there are. With both, the digest counts.
 * @throws {ImageServiceError} INVALID_ARGUMENT
 */
export function pullQuery(image: string): { readonly fromImage: string; readonly tag: string } {
  if (!parseImageReference(image)) throw noReference(image);
  const [named = '', digest] = image.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const fromImage = colon < 0 ? named : named.slice(0, colon);
  return { fromImage, tag: digest ?? (colon < 0 ? DEFAULT_TAG : named.slice(colon + 1)) };
}

/** The reference as Docker Engine shows it, and as its filters want it: without what Docker Hub leaves out. */
export function familiarReference(image: string): string {
  return image.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');
}

export function isImageId(image: string): boolean {
  return ID.test(image);
}

/**
 * Tells whether an image is the one that was asked for: Docker Engine also answers for the beginning of an id, and a name such
 * as `beef` can be one.
 */
export function isAskedFor(image: string, { id, repoTags, repoDigests }: ImageNames): boolean {
  const hex = ID.exec(image)?.[1];
  if (hex !== undefined && id === `sha256:${hex}`) return true;
  const asked = fullName(image);
  return asked !== undefined && [...repoTags, ...repoDigests].some((name) => fullName(name) === asked);
}

/** Docker Engine up to API 1.42 names what has no name. */
export function realNames(names: readonly string[] | null | undefined): string[] {
  return [...new Set(names ?? [])].filter((name) => !NO_NAME.test(name));
}

function fullName(text: string): string | undefined {
  const reference = parseImageReference(text);
  if (!reference) return undefined;
  const { registry, repository, tag = DEFAULT_TAG, digest } = reference;
  return digest === undefined ? `${registry}/${repository}:${tag}` : `${registry}/${repository}@${digest}`;
}

function noReference(image: string): ImageServiceError {
  return new ImageServiceError(
    STATUS.INVALID_ARGUMENT,
    `${JSON.stringify(image.slice(0, 300))} is not an image reference`,
  );
}
