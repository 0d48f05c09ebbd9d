import type { Digest, RepositoryName } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Chunk, StartedUpload, StartOptions, UploadProgress, UploadSession } from '../../push-target.ts';
import type { CallOptions } from '../../upstream.ts';
import type { SmallAnswer } from '../answers/index.ts';
import type { Question, SmallQuestion } from '../exchange.ts';
import type { Method } from '../transport/index.ts';
import type { PushTargetDependencies } from './create-push-target.ts';
import { readProgress } from './progress.ts';
import { type Meanings, pushError } from './push-error.ts';
import { openLocation, withDigest } from './upload-location.ts';

const MAXIMUM_ANSWER_BYTES = 64 * 1024;
/** Registries check, and often copy, the whole blob before they answer. */
const FINISH_TIMEOUT_MS = 600_000;
const OCTETS = { 'content-type': 'application/octet-stream' };
const STARTING: Meanings = { badRequest: 'BLOB_UPLOAD_INVALID', notFound: 'NAME_UNKNOWN' };
const GOING_ON: Meanings = { badRequest: 'BLOB_UPLOAD_INVALID', notFound: 'BLOB_UPLOAD_UNKNOWN' };

/** Uploads of blobs to a registry, step by step. */
export class Uploads {
  readonly #dependencies: PushTargetDependencies;
  /** How the registry wants to be shown a credential is known; until then no body is sent. */
  #acquainted = false;

  constructor(dependencies: PushTargetDependencies) {
    this.#dependencies = dependencies;
  }

  /** A mount that the registry will not do is an upload like any other. */
  async start(repository: RepositoryName, options: StartOptions): Promise<StartedUpload> {
    const mounted = options.mount && (await this.#mount(repository, options.mount, options));
    if (mounted) return mounted;
    const query = new URLSearchParams();
    if (options.algorithm !== undefined) query.set('digest-algorithm', options.algorithm);
    const { endpoint } = this.#dependencies;
    const url = endpoint.uploads(repository, query);
    const answer = await this.#ask('POST', { url, scope: endpoint.pushScope(repository), ...options });
    if (answer.status !== 202) throw pushError(answer, `an upload to ${repository}`, STARTING);
    return { type: 'started', progress: this.#progress(answer, url, repository) };
  }

  async progress(session: UploadSession, { signal }: CallOptions): Promise<UploadProgress> {
    const question = this.#at(session, signal);
    const answer = await this.#ask('GET', question);
    if (answer.status !== 204 && answer.status !== 202 && answer.status !== 200) {
      throw pushError(answer, `an upload of ${session.repository}`, GOING_ON);
    }
    // Some say nothing new here, and mean that it goes on at the same place.
    return this.#progress(answer, question.url, session.repository, session);
  }

  async send(session: UploadSession, chunk: Chunk, options: CallOptions): Promise<UploadProgress> {
    const question = this.#at(session, options.signal);
    const answer = await this.#stream('PATCH', session, question, chunk);
    if (answer.status !== 202 && answer.status !== 204 && answer.status !== 201) {
      throw pushError(answer, `a chunk for ${session.repository}`, GOING_ON);
    }
    return this.#progress(answer, question.url, session.repository, session);
  }

  async finish(
    session: UploadSession,
    digest: Digest,
    lastChunk: Chunk | undefined,
    { signal }: CallOptions,
  ): Promise<void> {
    const at = this.#at(session, signal);
    const question = { ...at, url: withDigest(at.url, digest), answerTimeoutMs: FINISH_TIMEOUT_MS };
    const answer = lastChunk
      ? await this.#stream('PUT', session, question, lastChunk)
      : await this.#ask('PUT', { ...question, headers: OCTETS, body: Buffer.alloc(0), once: true });
    if (answer.status !== 201 && answer.status !== 204) {
      throw pushError(answer, `the end of an upload to ${session.repository}`, GOING_ON);
    }
  }

  async cancel(session: UploadSession, { signal }: CallOptions): Promise<void> {
    const answer = await this.#ask('DELETE', { ...this.#at(session, signal), once: true });
    if (answer.status < 200 || answer.status > 299) {
      throw pushError(answer, `to cancel an upload to ${session.repository}`, GOING_ON);
    }
  }

  async #mount(
    repository: RepositoryName,
    { digest, from }: NonNullable<StartOptions['mount']>,
    { signal }: StartOptions,
  ): Promise<StartedUpload | undefined> {
    const { endpoint } = this.#dependencies;
    const query = new URLSearchParams({ mount: digest, from: endpoint.ownName(from) });
    const url = endpoint.uploads(repository, query);
    const scope = `${endpoint.pushScope(repository)} ${endpoint.pullScope(from)}`;
    const answer = await this.#ask('POST', { url, scope, signal }).catch((error: unknown) => {
      // It may be the source alone that our credential can't read.
      if (error instanceof UpstreamError && error.kind === 'refused') return undefined;
      throw error;
    });
    if (answer?.status === 201) return { type: 'mounted' };
    return answer?.status === 202
      ? { type: 'started', progress: this.#progress(answer, url, repository) }
      : undefined;
  }

  /** A body can't be sent twice: the login is out of the way before it flows. */
  async #stream(
    method: 'PATCH' | 'PUT',
    session: UploadSession,
    question: SessionQuestion,
    { mayEndEarly, bytes, ...said }: Chunk,
  ): Promise<SmallAnswer> {
    if (!this.#acquainted) await this.progress(session, question);
    // Storage elsewhere wants to know the length first; registries take what docker sends, which has none.
    const { range, sizeBytes } =
      mayEndEarly && question.trust === 'own' ? { range: undefined, sizeBytes: undefined } : said;
    return this.#dependencies.exchange.upload({
      ...question,
      method,
      headers: { ...OCTETS, ...(range && { 'content-range': `${range.start}-${range.end}` }) },
      body: { sizeBytes, bytes },
      answerTimeoutMs: FINISH_TIMEOUT_MS,
      limitBytes: MAXIMUM_ANSWER_BYTES,
    });
  }

  async #ask(method: Method, question: Omit<SmallQuestion, 'method' | 'limitBytes'>): Promise<SmallAnswer> {
    const { url, trust, scope, headers, body, answerTimeoutMs, once, signal } = question;
    const answer = await this.#dependencies.exchange.small({
      method,
      url,
      scope,
      signal,
      limitBytes: MAXIMUM_ANSWER_BYTES,
      ...(trust && { trust }),
      ...(headers && { headers }),
      ...(body && { body }),
      ...(answerTimeoutMs !== undefined && { answerTimeoutMs }),
      ...(once && { once }),
    });
    this.#acquainted ||= url.origin === this.#dependencies.endpoint.url.origin;
    return answer;
  }

  #at({ repository, location }: UploadSession, signal: AbortSignal): SessionQuestion {
    const { endpoint, redirects } = this.#dependencies;
    return {
      ...openLocation(location, endpoint.url, redirects),
      scope: endpoint.pushScope(repository),
      signal,
    };
  }

  #progress(
    answer: SmallAnswer,
    from: URL,
    repository: RepositoryName,
    before?: UploadSession,
  ): UploadProgress {
    const { endpoint, redirects } = this.#dependencies;
    return readProgress(answer, { from, registry: endpoint.url, redirects, repository, before });
  }
}

type SessionQuestion = Question & { readonly trust: NonNullable<Question['trust']> };
