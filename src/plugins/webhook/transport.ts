import { BodyTooLargeError, type Clock, Secret } from '../../core/index.ts';
import { createHttpClient, type HttpAnswer } from '../../network/index.ts';
import { parseAnswerText } from '../answer-text.ts';
import { PluginError } from '../errors.ts';
import { readTlsFiles } from '../tls-options.ts';
import { MAXIMUM_ANSWER_BYTES, questionText, type Transport } from '../transport.ts';
import type { WebhookPluginOptions } from './options.ts';
import { SIGNATURE_HEADER, signatureOf } from './signature.ts';

/** Posts questions to a URL. */
export function createWebhookTransport(
  options: WebhookPluginOptions,
  timeoutMs: number,
  { clock }: { readonly clock: Pick<Clock, 'now'> },
): Transport {
  const url = new URL(options.url);
  const secret = readSecret(options);
  const client = createHttpClient({
    reach: 'any',
    ...readTlsFiles(options),
    timeoutMs,
    maximumBytes: MAXIMUM_ANSWER_BYTES,
  });

  async function post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(secret && { [SIGNATURE_HEADER]: signatureOf(body, secret, clock.now()) }),
    };
    try {
      return await client.request(url, { method: 'POST', headers, body, signal });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof BodyTooLargeError) throw new PluginError('nonsense', cause.message, { cause });
      throw new PluginError('unavailable', cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  return {
    async ask(question, signal) {
      signal.throwIfAborted();
      const { status, body } = await post(questionText(question), signal);
      if (status !== 200) throw new PluginError('unavailable', `answered with status ${status}`);
      return parseAnswerText(body);
    },
    close: () => client.close(),
  };
}

function readSecret({ secret, secretFile }: WebhookPluginOptions): Secret | undefined {
  if (!secretFile) return secret;
  const text = secretFile.text().replace(/\r?\n$/, '');
  if (text === '') throw new TypeError(`${secretFile.path} holds no secret`);
  return new Secret(text);
}
