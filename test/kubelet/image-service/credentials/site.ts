import { Secret } from '../../../../src/core/index.ts';
import type { Credential, CredentialProvider, CredentialRequest } from '../../../../src/credentials/index.ts';
import { authConfig } from '../../../../src/kubelet/image-service/auth-config.ts';
import {
  createPullCredentials,
  type PullCredentialsObserver,
  pullCredentialOptions,
} from '../../../../src/kubelet/image-service/credentials/index.ts';
import { ImageServiceError, STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import type { PullAttempt } from '../../../../src/kubelet/image-service/image-service.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { createHeldClock } from '../held-clock.ts';

/** An image that the rule of {@link setUp} means. */
export const IMAGE = 'docker.example.com/team/app:v1';
/** What kubelet sends along. */
export const SHOWN = authConfig({ username: 'from-kubelet', password: 'k' });

/** A provider that answers with one after the other; the last one again and again. */
export function provider(
  answers: readonly (Credential | undefined | Error)[],
  more: Partial<CredentialProvider> = {},
): CredentialProvider & { readonly requests: CredentialRequest[] } {
  const requests: CredentialRequest[] = [];
  return {
    type: 'made-up',
    requests,
    credential: async (request) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(request);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    close: async () => undefined,
    ...more,
  };
}

/** Of somebody who is known by this name. */
export const credential = (username: string): Credential => ({
  username,
  password: new Secret(`${username}'s`),
});

/** The provider that never has a credential. */
export const nobody: CredentialProvider = { ...provider([undefined]), type: 'anonymous' };

/** How a registry turns a credential away. */
export const unauthorized = new ImageServiceError(STATUS.UNKNOWN, 'unauthorized: authentication required');

/** Pulls where only the named users may; '' is nobody in particular. */
export function setUp(
  order: string,
  made: CredentialProvider,
  allowed: readonly string[],
  failure: ImageServiceError = unauthorized,
) {
  const clock = createHeldClock();
  const events: string[] = [];
  const answers: string[] = [];
  const observer: PullCredentialsObserver = {
    attempted: ({ source, outcome }) => events.push(`${source} ${outcome}`),
    providerFailed: ({ provider: type, reason }) => events.push(`${type} ${reason}`),
    answered: ({ answer }) => answers.push(answer),
    refreshed: ({ provider: type }) => events.push(`${type} refreshed`),
  };
  const options = pullCredentialOptions.parse([
    { images: ['docker.example.com/**'], order, provider: { type: 'anonymous' } },
  ]);
  const credentials = createPullCredentials(options, {
    clock,
    log: createLogger('silent'),
    observer,
    createProvider: () => made,
  });
  const attempts: PullAttempt[] = [];
  const attempt = async (one: PullAttempt): Promise<string> => {
    attempts.push(one);
    const username = one.auth?.username ?? '';
    if (!allowed.includes(username)) throw failure;
    return `pulled as ${username || 'nobody'}`;
  };
  const users = () => attempts.map(({ auth }) => auth?.username ?? '');
  const { signal } = new AbortController();
  const pull = (shown = undefined as typeof SHOWN | undefined, image = IMAGE) =>
    credentials.pull(image, shown, attempt, { signal });
  return { clock, answers, events, credentials, attempts, attempt, users, pull };
}

/** A provider that never answers and does not heed its signal either. */
export const hanging = (): CredentialProvider => ({
  ...provider([undefined]),
  credential: () => new Promise(() => undefined),
});
