import { type Digest, parseDigest, RegistryError } from '../../../../oci/index.ts';
import type { StartOptions } from '../../../upstream/index.ts';
import type { Answer } from '../../answer.ts';
import type { RegistryRequest } from '../../request.ts';
import type { Push } from '../push.ts';
import { nextStep, stepAnswer } from './step.ts';
import { storedBlob } from './stored-blob.ts';

const ALGORITHMS: ReadonlySet<string> = new Set(['sha256', 'sha512']);

/**
 * POST: an upload, a mount, or a whole blob at once. The whole blob is an upload of two steps for the upstream: not every
 * one takes it in one, and the login is out of the way before the body flows.
 * @see OCI distribution specification 1.1, "Pushing blobs" and "Mounting a blob from another repository"
 */
export async function startUpload(push: Push): Promise<Answer> {
  const { request, target, repository, uploads } = push;
  const { signal, query, body } = request;
  const whole = readDigest(request, 'digest');
  const mount = whole === undefined ? readMount(push) : undefined;
  const asked = query.get('digest-algorithm') ?? '';
  const algorithm = ALGORITHMS.has(asked) ? asked : undefined;
  const started = await target.startUpload(repository, { mount, algorithm, signal });
  if (started.type === 'mounted') {
    const from = query.get('from');
    if (!mount) throw new Error('the upstream mounted what nobody asked for');
    push.note({ reference: mount.digest, ...(from !== null && { mountedFrom: from }) });
    return storedBlob(push, mount.digest);
  }
  const { progress } = started;
  if (whole === undefined) return stepAnswer(push, 202, nextStep(uploads.begin(), progress, 0), progress);
  const { sizeBytes, bytes } = body;
  const chunk = { sizeBytes, bytes, range: undefined, mayEndEarly: false };
  await target.finishUpload(progress.session, whole, chunk, { signal });
  return storedBlob(push, whole);
}

/** A source that the caller may not pull, or that lies elsewhere, makes it a plain upload, whatever is there. */
function readMount(push: Push): StartOptions['mount'] {
  const digest = readDigest(push.request, 'mount');
  const from = digest && push.mountSource(push.request.query.get('from') ?? '');
  return digest && from && { digest, from };
}

export function readDigest({ query }: RegistryRequest, parameter: string): Digest | undefined {
  const text = query.get(parameter);
  if (text === null) return undefined;
  const digest = parseDigest(text);
  if (!digest) throw new RegistryError('DIGEST_INVALID', `${parameter}= has to be a digest`);
  return digest;
}
