import { UpstreamError } from '../errors.ts';
import {
  isRedirect,
  type RetryDependencies,
  readSmallAnswer,
  type SmallAnswer,
  withRetries,
} from './answers/index.ts';
import type { Authenticator, SendAgain } from './authorization/index.ts';
import { redirectTarget } from './redirect-target.ts';
import { SentOnce } from './sent-once.ts';
import type { Answer, Method, StreamedBody, Target, Transport, Trust } from './transport/index.ts';

/** One thing that is wanted from the registry. */
export interface Question {
  readonly url: URL;
  /** `own` when missing. */
  readonly trust?: Trust;
  /** What a token has to be good for; several scopes have spaces between them. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface SmallQuestion extends Question {
  readonly method: Method;
  readonly body?: Uint8Array;
  readonly limitBytes: number;
  readonly answerTimeoutMs?: number;
  /** What changes something the second time too is asked only once. */
  readonly once?: boolean;
}

export interface UploadQuestion extends Omit<SmallQuestion, 'body' | 'once'> {
  readonly body: StreamedBody;
}

export interface BulkQuestion extends Question {
  /** A redirect away from the registry is the answer, instead of being followed. */
  readonly handRedirectBack: boolean;
}

export interface Arrival extends Answer {
  /** Where the redirect leads that is to be handed back; the answer itself is then of no more use. */
  readonly handedBack?: URL;
}

export interface ExchangeOptions {
  readonly registry: URL;
  /** Origins that redirects may lead to although they are http or private. */
  readonly redirects: readonly string[];
}

export interface ExchangeDependencies {
  readonly small: Transport;
  readonly bulk: Transport;
  readonly upload: Transport;
  readonly authenticator: Authenticator;
  readonly retries: RetryDependencies;
}

const MAXIMUM_REDIRECTS = 5;

/** One question and its answer: login, redirects and retries are dealt with here, the answer's meaning is not. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #dependencies: ExchangeDependencies;

  constructor(options: ExchangeOptions, dependencies: ExchangeDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** @returns the answer with its whole body, whatever its status is */
  small(question: SmallQuestion): Promise<SmallAnswer> {
    const { small, retries } = this.#dependencies;
    const ask = async () =>
      readSmallAnswer(await this.#follow(small, question.method, question), question.limitBytes);
    return question.once ? ask() : withRetries(ask, question.signal, retries);
  }

  /** Sends a body while it comes, once. @returns the answer with its whole body, whatever its status is */
  async upload(question: UploadQuestion): Promise<SmallAnswer> {
    const body = new SentOnce(question.body);
    const answer = await this.#follow(this.#dependencies.upload, question.method, { ...question, body });
    return readSmallAnswer(answer, question.limitBytes);
  }

  /** @returns the answer with its body on the way, whatever its status is */
  bulk(question: BulkQuestion): Promise<Arrival> {
    const { bulk, retries } = this.#dependencies;
    const ask = () => this.#follow(bulk, 'GET', question, question.handRedirectBack);
    return withRetries(ask, question.signal, retries);
  }

  /** Our credential goes to the registry's own origin, and no more once a redirect has left it. */
  async #follow(
    door: Transport,
    method: Method,
    question: Question & Pick<SmallQuestion, 'answerTimeoutMs'> & { readonly body?: Uint8Array | SentOnce },
    handRedirectBack = false,
  ): Promise<Arrival> {
    const { url, scope, headers, body, answerTimeoutMs, signal } = question;
    const { registry, redirects } = this.#options;
    let target: Target = { url, trust: question.trust ?? 'own' };
    let atHome = url.origin === registry.origin;
    const changesNothing = method === 'GET' || method === 'HEAD';
    for (let hop = 0; hop <= MAXIMUM_REDIRECTS; hop += 1) {
      const { url: from, trust } = target;
      const send = async (authorization?: string) => {
        if (body instanceof SentOnce && body.begun) throw cutShort();
        return door.request({
          url: from,
          trust,
          method,
          headers: { ...headers, ...(authorization !== undefined && { authorization }) },
          body,
          answerTimeoutMs,
          signal,
        });
      };
      const answer = atHome
        ? await this.#dependencies.authenticator.authorized({
            scope,
            signal,
            send,
            get isSpent() {
              return body instanceof SentOnce && body.begun;
            },
            again: changesNothing ? this.#again(from) : undefined,
          })
        : await send();
      if (!isRedirect(answer.status) || !followsRedirect(method, answer.status)) return answer;
      answer.discard();
      target = redirectTarget(answer.headers.get('location'), from, registry, redirects);
      atHome &&= target.url.origin === registry.origin;
      if (handRedirectBack && target.url.origin !== registry.origin)
        return { ...answer, handedBack: target.url };
    }
    throw new UpstreamError('unsafe', `more than ${MAXIMUM_REDIRECTS} redirects`);
  }

  /** Remembered for long, so it holds nothing of the question but where it went. */
  #again(url: URL): SendAgain {
    const { small } = this.#dependencies;
    return (authorization, signal) =>
      small.request({ url, trust: 'own', method: 'HEAD', headers: { accept: '*/*', authorization }, signal });
  }
}

/** Other redirects than these turn whatever was asked into a GET. @see RFC 9110, section 15.4 */
function followsRedirect(method: Method, status: number): boolean {
  return method === 'GET' || method === 'HEAD' || status === 307 || status === 308;
}

function cutShort(): UpstreamError {
  return new UpstreamError('unreachable', 'a body was turned away when it was already on its way');
}
