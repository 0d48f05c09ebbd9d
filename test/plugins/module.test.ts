import { describe, expect, it } from 'vitest';
import { ownFolder } from '../support/own-folder.ts';
import { writeModule } from './module-file.ts';
import { createLogBook, errorOf, parseOptions, providerOf, verifierOf } from './support.ts';

async function moduleOf(text: string, options: Readonly<Record<string, unknown>> = {}) {
  const file = await writeModule(await ownFolder(), text);
  return { ...parseOptions({ type: 'module', file: 'plugin.mjs', options }), file };
}

describe('a module', () => {
  it('gets its options and a context, and each question with a signal', async () => {
    const { log, lines } = createLogBook();
    const options = await moduleOf(
      `export async function createVerifier(options, context) {
        context.log.info('made ' + context.name);
        return {
          prefix: options.prefix,
          verify({ username, context }, { signal }) {
            const claims = { aborted: signal.aborted, asked: context.name };
            return { identity: { name: this.prefix + username, claims } };
          },
        };
      }`,
      { prefix: 'x-' },
    );
    const { plugin, verify } = verifierOf(options, { log });
    expect(await verify()).toMatchObject({
      identity: { name: 'x-ada', claims: { aborted: false, asked: 'custom' } },
    });
    expect(plugin.renews).toBe(false);
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: 'made custom', plugin: 'custom' }),
    );
  });

  it('is a verifier by one export and a provider by another, or by the default', async () => {
    const both = await moduleOf(
      `export const createVerifier = () => ({ verify: () => ({ refused: {} }), renew: () => ({ refused: {} }) });
       export const createProvider = () => ({ credential: () => ({ credential: { username: 'a', password: 'b', expiresAt: new Date(0) } }) });`,
    );
    const { plugin, verify } = verifierOf(both);
    expect(await verify()).toEqual({ type: 'refused', reason: 'the plugin says no' });
    expect(plugin.renews).toBe(true);
    expect(await providerOf(both).fetch()).toEqual({ username: 'a', password: 'b', expiresAt: 0 });
    const one = await moduleOf(`export default () => ({ credential: () => ({ none: {} }) });`);
    expect(await providerOf(one).fetch()).toBeUndefined();
    expect((await errorOf(verifierOf(one).verify())).message).toMatch(/has no function verify$/);
  });

  it('is loaded anew when its file has changed', async () => {
    const folder = await ownFolder();
    const version = (name: string) =>
      `export default () => ({ verify: () => ({ identity: { name: '${name}' } }) });`;
    for (const name of ['first', 'second', 'first']) {
      const file = await writeModule(folder, version(name));
      const options = { ...parseOptions({ type: 'module', file: 'plugin.mjs' }), file };
      expect(await verifierOf(options).verify()).toMatchObject({ identity: { name } });
    }
  });

  it('may take its time to start', async () => {
    const options = await moduleOf(
      `let release;
       globalThis.drpTestRelease = () => release();
       await new Promise((resolve) => { release = resolve; });
       export default () => ({ verify: () => ({ identity: { name: 'ada' } }) });`,
    );
    const { verify } = verifierOf({ ...options, timeout: 300 });
    expect((await errorOf(verify())).code).toBe('timeout');
    (globalThis as unknown as { drpTestRelease(): void }).drpTestRelease();
    expect(await verify()).toMatchObject({ type: 'identity' });
  });

  it.each([
    ['can not be parsed', 'export default {{'],
    ['throws when it is loaded', 'throw new Error("no")'],
    ['exports nothing', ''],
    ['exports what is no function', 'export default { verify() {} }'],
    ['makes nothing', 'export default () => undefined'],
    ['throws when it makes something', 'export default () => { throw new Error("no") }'],
  ])('that %s is out of order', async (_, text) => {
    const { verify } = verifierOf(await moduleOf(text));
    expect((await errorOf(verify())).code).toBe('unavailable');
  });

  it('that failed to make something may try again', async () => {
    const options = await moduleOf(
      `let calls = 0;
       export default () => {
         if (calls++ === 0) throw new Error('not yet');
         return { verify: () => ({ identity: { name: 'ada' } }) };
       };`,
    );
    const { verify } = verifierOf(options);
    expect((await errorOf(verify())).message).toBe('threw: not yet');
    expect(await verify()).toMatchObject({ type: 'identity' });
  });

  it('is told when it is closed', async () => {
    const { log, lines } = createLogBook();
    const options = await moduleOf(
      `export default (_, { log, signal }) => {
         signal.addEventListener('abort', () => log.info('aborted'));
         return {
           verify: () => ({ refused: {} }),
           close() { log.info('closed'); throw new Error('too late'); },
         };
       };`,
    );
    const { plugin, verify } = verifierOf(options, { log });
    await verify();
    await plugin.close();
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'a plugin described itself',
      'aborted',
      'closed',
      'a plugin failed to close',
    ]);
  });

  it('is not loaded before it is asked', async () => {
    const options = await moduleOf('globalThis.drpTestLoaded = true; export default () => ({});');
    const { plugin } = verifierOf(options);
    await plugin.close();
    expect(globalThis).not.toHaveProperty('drpTestLoaded');
  });

  it.each([
    ['what is no JSON', 'const a = {}; a.a = a; return { identity: a };'],
    ['nothing', ''],
    ['an accessor that throws', 'return { get identity() { throw new Error("no") } };'],
    ['somebody with methods only', 'return { identity: { name: () => "ada" } };'],
  ])('that answers %s answers nonsense', async (_, body) => {
    const { verify } = verifierOf(await moduleOf(`export default () => ({ verify() { ${body} } });`));
    expect((await errorOf(verify())).code).toBe('nonsense');
  });
});
