import type { Secret } from '../core/index.ts';
import type { AccountOptions } from './account-options.ts';
import { CredentialOptionsError } from './errors.ts';
import type { CredentialProvider } from './provider.ts';
import { readPassword, readToken } from './read-password.ts';
import { createFixedProvider } from './static.ts';

/** GitLab looks at the token alone, and wants some name beside it. */
const ANY_GITLAB_NAME = 'token';
const GITLAB_JOB_NAME = 'gitlab-ci-token';

/**
 * An account of a registry that names its accounts in a way of its own.
 * @throws {CredentialOptionsError} when name and token do not belong together, or the file does not hold a token
 */
export function createAccountProvider(options: AccountOptions): CredentialProvider {
  switch (options.type) {
    case 'dockerhub':
      // It may be a password, and people choose those with blanks.
      return createFixedProvider('dockerhub', {
        username: options.username,
        password: readPassword(options),
      });
    case 'gitlab': {
      const password = readToken(options);
      return createFixedProvider('gitlab', {
        username: options.username ?? gitLabName(password),
        password,
      });
    }
    case 'quay':
    case 'harbor':
      return createFixedProvider(options.type, {
        username: options.username,
        password: readToken(options),
      });
  }
}

/** By the prefix that GitLab gives to each kind of token. */
function gitLabName(token: Secret): string {
  const text = token.reveal();
  if (text.startsWith('gldt-')) {
    throw new CredentialOptionsError(
      'a deploy token goes with its own user name: set username, such as gitlab+deploy-token-1',
    );
  }
  return text.startsWith('glcbt-') ? GITLAB_JOB_NAME : ANY_GITLAB_NAME;
}
