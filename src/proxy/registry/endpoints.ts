import { RegistryError } from '../../oci/index.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import { TOKEN_PATH } from './challenge.ts';
import { dispatch } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import { parseResource } from './operation.ts';
import { answerPage } from './page-endpoint.ts';
import type { RegistryParts } from './parts.ts';
import type { RegistryRequest } from './request.ts';
import { answerRevocation, answerToken } from './token-endpoint.ts';

const REVOCATION_PATH = `${TOKEN_PATH}/revoke`;
const JWKS_PATH = '/.well-known/jwks.json';

/** Which of the server's endpoints a path is. Everything that is not about tokens is the registry API. */
export async function answerEndpoint(
  request: RegistryRequest,
  parts: RegistryParts,
  exchange: Exchange,
): Promise<Answer> {
  switch (request.path) {
    case TOKEN_PATH:
      exchange.operation = 'token';
      requireMethod(request, ['GET', 'POST']);
      return answerToken(request, parts, exchange);
    case REVOCATION_PATH:
      exchange.operation = 'token';
      requireMethod(request, ['POST']);
      return answerRevocation(request, parts);
    case JWKS_PATH:
      exchange.operation = 'keys';
      requireMethod(request, ['GET']);
      return jsonAnswer(200, parts.tokens.publicKeys(), { 'Cache-Control': 'max-age=300' });
  }
  if (parts.web?.answers(request.path)) return answerPage(request, parts.web, exchange);
  const resource = parseResource(request.path);
  exchange.operation = resource.kind;
  return dispatch(request, resource, parts, exchange);
}

function requireMethod(request: RegistryRequest, methods: readonly string[]): void {
  if (methods.includes(request.method)) return;
  throw new RegistryError('UNSUPPORTED', 'this method is not supported here', {
    headers: { Allow: methods.join(', ') },
  });
}
