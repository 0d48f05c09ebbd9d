import { formatChallenge, formatScope, RegistryError, type RepositoryName } from '../../oci/index.ts';
import type { Action } from '../policy/index.ts';
import type { RegistryRequest } from './request.ts';

/** Where tokens are issued, below the public URL. */
export const TOKEN_PATH = '/token';

export interface Asked {
  readonly name: RepositoryName;
  readonly action: Action;
}

/** Whoever pushes looks first whether it is there already. */
const ACTIONS_FOR: Readonly<Record<Action, readonly Action[]>> = {
  pull: ['pull'],
  push: ['pull', 'push'],
  delete: ['delete'],
};

/**
 * 401 with the way to a token. One space-joined `scope` at most, in the client's own names; containerd asks again once when
 * `error` tells it that its token is the matter.
 * @see distribution, token authentication specification
 */
export function unauthorized(
  request: RegistryRequest,
  message: string,
  options: {
    readonly asked?: Asked | undefined;
    readonly error?: 'invalid_token' | 'insufficient_scope';
  } = {},
): RegistryError {
  const { asked, error } = options;
  const challenge = formatChallenge('Bearer', {
    realm: `${request.publicUrl}${TOKEN_PATH}`,
    service: request.service,
    scope: asked && formatScope({ type: 'repository', name: asked.name, actions: ACTIONS_FOR[asked.action] }),
    error,
  });
  return new RegistryError('UNAUTHORIZED', message, { headers: { 'WWW-Authenticate': challenge } });
}
