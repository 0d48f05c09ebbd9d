import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileReference, Secret, systemClock } from '../../src/core/index.ts';
import {
  type CredentialProvider,
  createCredentialProvider,
  credentialOptions,
} from '../../src/credentials/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { describeProvider } from './provider-suite.ts';

const { signal } = new AbortController();
const registry = 'docker.example.com';
const HOUR_S = 3600;

function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;
}

async function fileWith(content: string): Promise<string> {
  const folder = await createTemporaryFolder('token');
  onTestFinished(() => folder.close());
  const path = join(folder.path, 'token');
  await writeFile(path, content);
  return path;
}

function create(input: object, path?: string): CredentialProvider {
  const options = credentialOptions.parse(path === undefined ? input : { ...input, tokenFile: 'token' });
  if ('tokenFile' in options && options.tokenFile instanceof FileReference && path !== undefined) {
    options.tokenFile.resolve(path, Buffer.alloc(0));
  }
  return createCredentialProvider(options, { clock: systemClock, log: createLogger('silent') });
}

const seconds = Math.floor(Date.now() / 1000);
const GOOD = token({ exp: seconds + HOUR_S, n: 1 });

for (const [type, input, username] of [
  ['kubernetes', { type: 'kubernetes' }, '_kubernetes'],
  ['token-file', { type: 'token-file', username: 'ci' }, 'ci'],
] as const) {
  describeProvider(`${type} with a file`, {
    type,
    create: () => {
      const written = fileWith(GOOD);
      let made: Promise<CredentialProvider> | undefined;
      return {
        type: create(input, '/nowhere').type,
        async credential(request) {
          made ??= written.then((path) => create(input, path));
          return (await made).credential(request);
        },
        close: async () => {},
      };
    },
    registry,
    expected: { username, password: GOOD },
  });
}

describe('kubernetes', () => {
  it('gives the token as the file holds it now, and says when it ends', async () => {
    const path = await fileWith(`${GOOD}\n`);
    const provider = create({ type: 'kubernetes' }, path);
    expect(await provider.credential({ registry, signal })).toMatchObject({
      expiresAt: (seconds + HOUR_S) * 1000,
    });
    const next = token({ exp: seconds + 2 * HOUR_S, n: 2 });
    await writeFile(`${path}.new`, next);
    await rename(`${path}.new`, path);
    expect((await provider.credential({ registry, signal }))?.password.reveal()).toBe(next);
  });

  it('gives the token that kubelet hands over, before that of a file', async () => {
    const handed = token({ exp: seconds + HOUR_S, n: 3 });
    const request = { registry, signal, serviceAccountToken: new Secret(handed) };
    for (const provider of [
      create({ type: 'kubernetes', username: 'pod' }),
      create({ type: 'kubernetes', username: 'pod' }, await fileWith(GOOD)),
    ]) {
      const credential = await provider.credential(request);
      expect([credential?.username, credential?.password.reveal()]).toEqual(['pod', handed]);
    }
  });

  it.each([
    ['there is neither', undefined, 'kubelet handed over no service account token'],
    ['the token has ended', token({ exp: seconds - 1, sub: 'canary' }), 'whoever renews it has stopped'],
    ['the file is empty', '\n', 'holds no token'],
    ['the file is too long', 'x'.repeat(70_000), "can't be read"],
  ])('says so when %s', async (_, content, words) => {
    const path = content === undefined ? undefined : await fileWith(content);
    const failure = await create({ type: 'kubernetes' }, path)
      .credential({ registry, signal })
      .then(
        () => 'none',
        (error: unknown) => String(error),
      );
    expect(failure).toContain(words);
    expect(failure).not.toContain(content?.trim() || 'canary');
  });
});
