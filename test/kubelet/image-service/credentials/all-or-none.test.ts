import { expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/core/index.ts';
import {
  createPullCredentials,
  pullCredentialOptions,
} from '../../../../src/kubelet/image-service/credentials/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';

it('a provider that can not be made leaves none of the others behind', () => {
  const options = pullCredentialOptions.parse(
    ['a.example.com', 'b.example.com'].map((host) => ({
      images: [`${host}/**`],
      provider: { type: 'anonymous' },
    })),
  );
  const close = vi.fn(async () => undefined);
  let made = 0;
  const createProvider = () => {
    made += 1;
    if (made > 1) throw new Error('no such file');
    return { type: 'made-up', credential: async () => undefined, close };
  };
  const create = () =>
    createPullCredentials(options, { clock: systemClock, log: createLogger('silent'), createProvider });
  expect(create).toThrow('no such file');
  expect(close).toHaveBeenCalledOnce();
});
