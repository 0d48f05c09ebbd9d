import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { createCredentialProvider, credentialOptions } from '../../src/credentials/index.ts';
import { createPool } from '../../src/credentials/pool.ts';
import type { CredentialProvider } from '../../src/credentials/provider.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { describeProvider } from './provider-suite.ts';

const { signal } = new AbortController();
const registry = 'registry.example.com';
const one = { type: 'static', username: 'one', password: 'canary-one' };
const two = { type: 'dockerhub', username: 'two', password: 'canary-two' };

const create = (...members: unknown[]) =>
  createCredentialProvider(credentialOptions.parse({ type: 'pool', members }), {
    clock: systemClock,
    log: createLogger('silent'),
  });

describeProvider('a pool', {
  type: 'pool',
  create: () => create(one, two),
  registry,
  expected: { username: 'one', password: 'canary-one' },
});

describe('a pool', () => {
  test('shows its members, in order', () => {
    expect(create(one, two, { type: 'anonymous' }).members?.map(({ type }) => type)).toEqual([
      'static',
      'dockerhub',
      'anonymous',
    ]);
  });

  test('gives the first that can be had', async () => {
    expect((await create({ type: 'anonymous' }, two).credential({ registry, signal }))?.username).toBe('two');
    const broken: CredentialProvider = {
      type: 'broken',
      credential: () => Promise.reject(new Error('vault is down')),
      close: async () => {},
    };
    const working = create(two);
    expect((await createPool([broken, working]).credential({ registry, signal }))?.username).toBe('two');
    await expect(createPool([broken]).credential({ registry, signal })).rejects.toThrow('vault is down');
  });

  test.each([
    ['no members', []],
    ['a pool in a pool', [{ type: 'pool', members: [one] }]],
    ['too many', Array.from({ length: 33 }, () => one)],
  ])('of %s is refused', (_name, members) => {
    expect(credentialOptions.safeParse({ type: 'pool', members }).success).toBe(false);
  });
});
