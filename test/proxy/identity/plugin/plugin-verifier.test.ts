import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret, systemClock } from '../../../../src/core/index.ts';
import {
  authenticationOptions,
  createAuthenticator,
  createPluginVerifier,
  type Identity,
  type Outcome,
  type Verifier,
} from '../../../../src/proxy/identity/index.ts';
import { createMetrics } from '../../../../src/telemetry/index.ts';
import { writeModule } from '../../../plugins/module-file.ts';
import { createShiftedClock, parseOptions, silentLog } from '../../../plugins/support.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { openLimits } from '../support/open-limits.ts';

const { signal } = new AbortController();
const ADA: Identity = { verifier: 'custom', name: 'ada', groups: ['platform'], claims: {} };

async function verifierOf(body: string) {
  const file = await writeModule(await ownFolder(), `export default () => ({ ${body} });`);
  const options = { ...parseOptions({ type: 'module', file: 'plugin.mjs' }), file, name: 'custom' };
  const verifier = createPluginVerifier(options, { clock: systemClock, log: silentLog });
  onTestFinished(() => verifier.close());
  const verify = (username = 'ada', password = 'pass') =>
    verifier.verify({ username, password: new Secret(password) }, signal);
  return { verifier, verify };
}

const KNOWS = `verify: ({ username }) => ({ identity: { name: username, groups: ['platform'], anchor: 'mark' } })`;

describe('the identity', () => {
  it('is what the plugin says, under the name of the verifier', async () => {
    const { verify } = await verifierOf(
      `verify: () => ({ identity: { verifier: 'root', name: 'ada', groups: ['a'], claims: { n: 1 }, anchor: 'mark' } })`,
    );
    expect(await verify()).toEqual({
      type: 'identity',
      identity: { verifier: 'custom', name: 'ada', groups: ['a'], claims: { n: 1 } },
      anchor: 'mark',
    });
  });

  it('never rejects: whatever goes wrong is that it can not tell', async () => {
    const { verify } = await verifierOf(`verify() { throw new Error('down') }`);
    expect(await verify()).toMatchObject({ type: 'cannot-tell', reason: 'threw: down' });
  });

  it.each([
    ['', 'pass'],
    ['x'.repeat(257), 'pass'],
    ['a\nb', 'pass'],
    ['a\uD800', 'pass'],
    ['ada', ''],
    ['ada', 'a\0b'],
    ['ada', '\uDC00'],
    ['ada', 'x'.repeat(64 * 1024 + 1)],
  ])('is refused without asking for %j with %j', async (username, password) => {
    const { verify } = await verifierOf(`verify() { throw new Error('asked') }`);
    expect(await verify(username, password)).toMatchObject({ type: 'refused' });
  });
});

describe('renewing', () => {
  const renews = `${KNOWS}, renew: ({ identity }) => identity.anchor === 'mark'
    ? { identity: { ...identity, groups: ['new'] } } : { refused: { reason: 'changed' } }`;

  it('shows the plugin what it said, and takes the new groups', async () => {
    const { verifier } = await verifierOf(renews);
    expect(await verifier.renew?.(ADA, 'mark', signal)).toEqual({
      type: 'identity',
      identity: { ...ADA, groups: ['new'] },
      anchor: 'mark',
    });
    expect(await verifier.renew?.(ADA, 'other', signal)).toEqual({ type: 'refused', reason: 'changed' });
  });

  it('is offered until the plugin has said that it does not, so that a restart refuses nobody', async () => {
    const yes = await verifierOf(renews);
    expect(yes.verifier.renew).toBeDefined();
    await yes.verify();
    expect(yes.verifier.renew).toBeDefined();

    const no = await verifierOf(KNOWS);
    const { renew } = no.verifier;
    expect(await renew?.(ADA, 'mark', signal)).toEqual({
      type: 'refused',
      reason: 'the plugin does not renew logins',
    });
    expect(no.verifier.renew).toBeUndefined();
  });

  it('is asked about again from time to time', async () => {
    const clock = createShiftedClock();
    const folder = await ownFolder();
    const program = join(folder, 'plugin.sh');
    const write = (renew: boolean) =>
      writeFile(
        program,
        `read -r q; case $q in *'"describe"'*) echo '{"renew":${renew}}';; *) echo '{"identity":{"name":"ada"}}';; esac`,
      );
    await write(false);
    const options = { ...parseOptions({ type: 'exec', command: ['/bin/sh', program] }), name: 'custom' };
    const verifier = createPluginVerifier(options, { clock, log: silentLog });
    onTestFinished(() => verifier.close());
    const login = { username: 'ada', password: new Secret('pass') };
    await verifier.verify(login, signal);
    await write(true);
    await verifier.verify(login, signal);
    expect(verifier.renew).toBeUndefined();
    clock.advance(5 * 60_000);
    await verifier.verify(login, signal);
    expect(verifier.renew).toBeDefined();
  });

  it('can not turn one person into another', async () => {
    const { verifier } = await verifierOf(`${KNOWS}, renew: () => ({ identity: { name: 'root' } })`);
    expect(await verifier.renew?.(ADA, 'mark', signal)).toMatchObject({ type: 'cannot-tell' });
  });
});

describe('beside other verifiers', () => {
  const good: Verifier = {
    name: 'good',
    verify: async (): Promise<Outcome> => ({ type: 'identity', identity: { ...ADA, verifier: 'good' } }),
    close: async () => undefined,
  };

  it.each([
    ['throws', `verify() { throw new Error('down') }`],
    ['answers nonsense', 'verify: () => 7'],
    ['can not tell', 'verify: () => ({ error: {} })'],
  ])('one that %s stops nobody', async (_, body) => {
    const { verifier } = await verifierOf(body);
    const authenticator = createAuthenticator({ anonymous: false }, [verifier, good], {
      log: silentLog,
      metrics: createMetrics(),
      limits: openLimits,
    });
    const login = { username: 'ada', password: new Secret('pass') };
    for (let time = 0; time < 7; time += 1) {
      expect(await authenticator.authenticate(login, { address: '192.0.2.1', signal })).toMatchObject({
        type: 'identity',
        identity: { verifier: 'good' },
      });
    }
  });
});

describe('the configuration', () => {
  it.each([
    { type: 'module', file: 'plugin.mjs', options: { a: [1] } },
    { type: 'grpc', address: 'unix:///run/plugin.sock' },
    { type: 'exec', command: ['/usr/bin/plugin'], environment: ['LANG'], timeout: '9s' },
    { type: 'webhook', url: 'https://plugin.example.com/', secret: 'shared' },
  ])('may hold %j', (options) => {
    const verifiers = [{ name: 'custom', ...options }];
    expect(authenticationOptions.parse({ verifiers }).verifiers[0]).toMatchObject({
      name: 'custom',
      type: options.type,
    });
  });

  it('may not hold a plugin that takes longer than a login may', () => {
    const verifiers = [{ name: 'custom', type: 'exec', command: ['/usr/bin/plugin'], timeout: '10s' }];
    expect(() => authenticationOptions.parse({ verifiers })).toThrow('at most 9s');
  });
});
