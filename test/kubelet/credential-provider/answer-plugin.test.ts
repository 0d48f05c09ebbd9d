import { describe, expect, it } from 'vitest';
import { type Clock, Secret } from '../../../src/core/index.ts';
import type { Credential, CredentialProvider, CredentialRequest } from '../../../src/credentials/index.ts';
import {
  answerPlugin,
  CredentialProviderError,
  credentialProviderOptions,
} from '../../../src/kubelet/credential-provider/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { question } from './question.ts';

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const clock: Clock = {
  now: () => NOW,
  sleep: (_, signal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
};

interface Setup {
  readonly credential?: Credential | undefined;
  readonly fails?: Error;
  readonly rules?: unknown;
}

function setUp({ credential, fails, rules }: Setup = {}) {
  const asked: CredentialRequest[] = [];
  let closed = 0;
  const provider: CredentialProvider = {
    type: 'test',
    async credential(request) {
      asked.push(request);
      if (fails) throw fails;
      return credential;
    },
    close: async () => {
      closed += 1;
    },
  };
  const options = credentialProviderOptions.parse({
    credentials: rules ?? [{ images: ['docker.example.com/**'], provider: { type: 'anonymous' } }],
  });
  const answer = (image: string, extra = {}) =>
    answerPlugin(question(image, extra), {
      clock,
      log: createLogger('silent'),
      files: undefined,
      load: async () => options,
      createProvider: () => provider,
    });
  return { answer, asked, closed: () => closed };
}

const PASSWORD: Credential = { username: 'acme', password: new Secret('canary') };

describe('an answer', () => {
  it('is the credential of the rule that the image falls under, for its whole registry', async () => {
    const { answer, asked, closed } = setUp({ credential: PASSWORD });
    expect(await answer('docker.example.com/team/app:v1')).toEqual({
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      kind: 'CredentialProviderResponse',
      cacheKeyType: 'Registry',
      cacheDuration: '300s',
      auth: { 'docker.example.com': { username: 'acme', password: 'canary' } },
    });
    expect(asked).toMatchObject([
      { registry: 'docker.example.com', image: 'docker.example.com/team/app:v1' },
    ]);
    expect(closed()).toBe(1);
  });

  it('is for one image where other images of the registry fall under another rule', async () => {
    const rules = [
      { images: ['docker.example.com/**'], provider: { type: 'anonymous' } },
      { images: ['docker.example.com/team/**'], provider: { type: 'anonymous' }, order: 'provider-only' },
    ];
    const { answer } = setUp({ credential: PASSWORD, rules });
    expect(await answer(`docker.example.com/app@sha256:${'a'.repeat(64)}`)).toMatchObject({
      cacheKeyType: 'Image',
      auth: { 'docker.example.com/app': { username: 'acme' } },
    });
  });

  it('is kept until a minute before the credential ends', async () => {
    const ending = { ...PASSWORD, expiresAt: NOW + 10 * MINUTE_MS };
    expect((await setUp({ credential: ending }).answer('docker.example.com/a')).cacheDuration).toBe('540s');
    const ended = { ...PASSWORD, expiresAt: NOW + 1000 };
    expect((await setUp({ credential: ended }).answer('docker.example.com/a')).cacheDuration).toBe('0s');
  });

  it.each(['quay.io/other', 'not a reference'])('is empty for %s, which no rule means', async (image) => {
    const { answer, asked } = setUp({ credential: PASSWORD });
    expect(await answer(image)).toMatchObject({ cacheDuration: '0s', auth: {} });
    expect(asked).toEqual([]);
  });

  it('is empty when the provider has none', async () => {
    expect(await setUp().answer('docker.example.com/a')).toMatchObject({ cacheDuration: '0s', auth: {} });
  });

  it("hands the pod's token to the provider", async () => {
    const { answer, asked } = setUp({ credential: PASSWORD });
    await answer('docker.example.com/a', { serviceAccountToken: 'pod-token' });
    expect(asked[0]?.serviceAccountToken?.reveal()).toBe('pod-token');
  });

  it('is none when the provider fails, and says why', async () => {
    const { answer, closed } = setUp({ fails: new Error('the metadata server is out of reach') });
    await expect(answer('docker.example.com/a')).rejects.toThrow(
      'the test provider for docker.example.com/a failed: the metadata server is out of reach',
    );
    await expect(answer('docker.example.com/a')).rejects.toBeInstanceOf(CredentialProviderError);
    expect(closed()).toBe(2);
  });
});
