import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { Secret, systemClock } from '../../../../src/core/index.ts';
import type { Credential } from '../../../../src/credentials/index.ts';
import {
  type CredentialOrder,
  createPullCredentials,
  type Fallback,
  pullCredentialOptions,
  watchFallbacks,
} from '../../../../src/kubelet/image-service/credentials/index.ts';
import { ImageServiceError, STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { AuthConfigSchema } from '../../../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';

const SHOWN = create(AuthConfigSchema, { username: 'kubelet', password: 'k' });
const OURS: Credential = { username: 'provider', password: new Secret('p') };
const RENEWED: Credential = { username: 'provider', password: new Secret('another') };
const BROKEN = new Error('broken');

type Case = readonly [
  order: CredentialOrder,
  shown: boolean,
  answers: readonly (Credential | Error | undefined)[],
  /** The source with which the registry lets pull. */
  good: string,
  expected: readonly string[],
];

const CASES: readonly Case[] = [
  ['kubelet-first', true, [OURS], 'kubelet', []],
  ['kubelet-first', true, [OURS], 'provider', ['kubelet provider turned-away']],
  ['kubelet-first', false, [OURS], 'provider', []],
  ['kubelet-first', false, [OURS], 'none', ['provider none turned-away']],
  ['kubelet-first', true, [undefined], 'nobody', []],
  ['provider-first', true, [OURS], 'provider', []],
  ['provider-first', true, [OURS, RENEWED], 'nobody', ['provider kubelet turned-away']],
  ['provider-first', true, [BROKEN], 'kubelet', ['provider kubelet no-credential']],
  ['provider-first', false, [undefined], 'none', ['provider none no-credential']],
  ['provider-only', true, [undefined], 'none', []],
];

it.each(CASES)(
  '%s, kubelet has one: %s, %j, good is %s: %j',
  async (order, shown, answers, good, expected) => {
    const options = pullCredentialOptions.parse([
      { images: ['docker.example.com/**'], order, provider: { type: 'anonymous' } },
    ]);
    let asked = 0;
    const provider = {
      type: 'made-up',
      credential: async () => {
        const answer = answers[Math.min(asked, answers.length - 1)];
        asked += 1;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      discard: () => undefined,
      close: async () => undefined,
    };
    const fallbacks: Fallback[] = [];
    const credentials = watchFallbacks(
      createPullCredentials(options, {
        clock: systemClock,
        log: createLogger('silent'),
        createProvider: () => provider,
      }),
      options,
      (fallback) => fallbacks.push(fallback),
    );
    const attempt = async ({ source }: { source: string }) => {
      if (source !== good) throw new ImageServiceError(STATUS.UNAUTHENTICATED, 'unauthorized');
    };
    const { signal } = new AbortController();
    const pulling = credentials.pull('docker.example.com/app:1', shown ? SHOWN : undefined, attempt, {
      signal,
    });
    await pulling.catch(() => undefined);
    expect(fallbacks.map(({ from, to, reason }) => `${from} ${to} ${reason}`)).toEqual(expected);
    await credentials.close();
  },
);
