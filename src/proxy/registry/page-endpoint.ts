import type { Web } from '../web/index.ts';
import { type Answer, bytesAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { RegistryRequest } from './request.ts';

/** The pages where people sign in, and what goes with them. */
export async function answerPage(request: RegistryRequest, web: Web, exchange: Exchange): Promise<Answer> {
  exchange.operation = 'web';
  const { method, path, query, form, headers, publicUrl, client } = request;
  const answer = await web.answer({ method, path, query, form, headers, publicUrl, client });
  const { login } = answer;
  if (login) {
    const { outcome, verifier, name, reason } = login;
    exchange.decided({ action: 'login', outcome, identity: { verifier, name }, ...(reason && { reason }) });
  }
  return bytesAnswer(answer.status, Buffer.from(answer.body), answer.headers);
}
