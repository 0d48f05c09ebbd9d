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
import type { Answer, Target, Transport } from './transport/index.ts';

/** One thing that is wanted from the registry. */
export interface Question {
  readonly url: URL;
  /** What a token has to be good for. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface SmallQuestion extends Question {
  readonly method: 'GET' | 'HEAD';
  readonly limitBytes: number;
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
    return withRetries(ask, question.signal, retries);
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
    method: 'GET' | 'HEAD',
    { url, scope, headers, signal }: Question,
    handRedirectBack = false,
  ): Promise<Arrival> {
    const { registry, redirects } = this.#options;
    let target: Target = { url, trust: 'own' };
    let atHome = true;
    const changesNothing = method === 'GET' || method === 'HEAD';
    const again = (from: URL) => (changesNothing ? this.#again(from) : undefined);
    for (let hop = 0; hop <= MAXIMUM_REDIRECTS; hop += 1) {
      const { url: from, trust } = target;
      const send = (authorization?: string) =>
        door.request({
          url: from,
          trust,
          method,
          headers: { ...headers, ...(authorization !== undefined && { authorization }) },
          signal,
        });
      const answer = atHome
        ? await this.#dependencies.authenticator.authorized(scope, signal, send, again(from))
        : await send();
      if (!isRedirect(answer.status)) return answer;
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
