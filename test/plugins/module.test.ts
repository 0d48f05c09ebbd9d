import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFolder } from '../support/own-folder.ts';
import { writeModule } from './module-file.ts';
import {
  createLogBook,
  createShiftedClock,
  errorOf,
  parseOptions,
  providerOf,
  verifierOf,
} from './support.ts';

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
    const go = join(await ownFolder(), 'go');
    const options = await moduleOf(
      `import { existsSync } from 'node:fs';
       while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 10));
       export default () => ({ verify: () => ({ identity: { name: 'ada' } }) });`,
    );
    const { verify } = verifierOf({ ...options, timeout: 1000 });
    expect((await errorOf(verify())).code).toBe('timeout');
    await writeFile(go, '');
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
    const mark = join(await ownFolder(), 'loaded');
    const options = await moduleOf(
      `import { writeFileSync } from 'node:fs';
       writeFileSync(${JSON.stringify(mark)}, '');
       export default () => ({});`,
    );
    const { plugin } = verifierOf(options);
    await plugin.close();
    expect(existsSync(mark)).toBe(false);
  });

  it.each([
    ['what is no JSON', 'const a = {}; a.a = a; return { identity: a };'],
    ['nothing', ''],
    ['a longer text than it may', 'return { refused: { reason: "x".repeat(1024 * 1024) } };'],
    ['a text that is too long as JSON', 'return { refused: { reason: "\\0".repeat(1024 * 256) } };'],
    ['bytes without end', 'return { refused: Buffer.alloc(1024 ** 3) };'],
    ['too many of something', 'return { refused: new Array(1024 ** 3) };'],
    [
      'more than fits into a text',
      'const one = "x".repeat(1024 ** 2 * 500); return { refused: [one, one, one] };',
    ],
    ['an accessor that throws', 'return { get identity() { throw new Error("no") } };'],
    ['somebody with methods only', 'return { identity: { name: () => "ada" } };'],
  ])('that answers %s answers nonsense', async (_, body) => {
    const { verify } = verifierOf(await moduleOf(`export default () => ({ verify() { ${body} } });`));
    expect((await errorOf(verify())).code).toBe('nonsense');
  });

  it('runs in a thread of its own, one for each time that it is configured', async () => {
    const options = await moduleOf(
      `import { isMainThread, threadId } from 'node:worker_threads';
       export default () => ({ verify: () => ({ identity: { name: 'ada', claims: { isMainThread, threadId } } }) });`,
    );
    const claims = async () => {
      const answer = await verifierOf(options).verify();
      return answer.type === 'identity' ? answer.identity.claims : {};
    };
    const [first, second] = [await claims(), await claims()];
    expect(first).toMatchObject({ isMainThread: false });
    expect(second).toMatchObject({ isMainThread: false });
    expect(first.threadId).not.toBe(second.threadId);
  });

  it('that spins leaves the proxy free to work meanwhile, and is stopped when it is closed', async () => {
    const folder = await ownFolder();
    const mark = join(folder, 'spinning');
    const options = await moduleOf(
      `import { writeFileSync } from 'node:fs';
       export default () => ({ verify() { writeFileSync(${JSON.stringify(mark)}, ''); for (;;); } });`,
    );
    const { plugin, verify } = verifierOf({ ...options, timeout: 9000 });
    const answer = errorOf(verify());
    await expect.poll(() => existsSync(mark), { timeout: 5000 }).toBe(true);
    await plugin.close();
    expect((await answer).code).toBe('closed');
  });

  it('takes the questions of others with it when it ends, and no more', async () => {
    const options = await moduleOf(
      `export default () => ({
         verify: ({ password }) => password === 'pw-end' ? setTimeout(() => { throw new Error('canary'); }) && new Promise(() => {})
           : password === 'pw-wait' ? new Promise(() => {}) : { identity: { name: 'ada' } },
       });`,
    );
    const { log, lines } = createLogBook();
    const { verify } = verifierOf(options, { log });
    await verify();
    const lost = [errorOf(verify('pw-wait')), errorOf(verify('pw-end'))];
    for (const error of await Promise.all(lost)) {
      expect(error.code).toBe('unavailable');
      expect(error.message).toMatch(/^ended by an error that nothing caught \(line 2, column \d+\)$/);
    }
    expect(lines.join('')).toContain('ended by an error that nothing caught');
    expect(lines.join('')).not.toContain('canary');
    expect(await verify()).toMatchObject({ type: 'identity' });
  });

  it('that ends again and again is started again after pauses that grow', async () => {
    const mark = join(await ownFolder(), 'starts');
    const options = await moduleOf(
      `import { appendFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(mark)}, 'x');
       export default () => ({ verify: ({ password }) => password === 'pw-end' ? process.exit(3) : { identity: { name: 'ada' } } });`,
    );
    const starts = () => readFileSync(mark, 'utf8').length;
    const clock = createShiftedClock();
    const { verify } = verifierOf(options, { clock });
    for (const pauseSeconds of [0, 1, 2]) {
      expect((await errorOf(verify('pw-end'))).message).toBe('ended its thread with exit code 3');
      if (pauseSeconds === 0) continue;
      const before = starts();
      expect((await errorOf(verify())).message).toMatch(/^has ended \d times, and is started again in \d s$/);
      clock.advance(pauseSeconds * 1000 - 500);
      expect((await errorOf(verify())).code).toBe('unavailable');
      expect(starts()).toBe(before);
      clock.advance(500);
      expect(await verify()).toMatchObject({ type: 'identity' });
    }
    clock.advance(60_000);
    expect((await errorOf(verify('pw-end'))).code).toBe('unavailable');
    expect(await verify()).toMatchObject({ type: 'identity' });
  });

  // Slow on a busy machine: the memory is looked through again and again before it is given up.
  it('that takes more and more memory ends its thread, and not the proxy', { timeout: 60_000 }, async () => {
    const options = await moduleOf(
      `export default () => ({ credential({ registry }) {
         for (const kept = []; ; ) kept.push(new Array(1_000_000).fill(kept.length));
       } });`,
    );
    const { fetch } = providerOf({ ...options, timeout: 60_000 });
    expect((await errorOf(fetch())).message).toBe('took more memory than it may');
  });

  it('that logs without end is cut short', async () => {
    const { log, lines } = createLogBook();
    const options = await moduleOf(
      `export default (_, { log }) => ({ verify() {
         for (let line = 0; line < 100_000; line += 1) log.info('x'.repeat(100_000));
         return { identity: { name: 'ada' } };
       } });`,
    );
    await verifierOf(options, { log }).verify();
    expect(lines.length).toBeLessThan(2000);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000);
  });

  it('is told when nobody waits for its answer any more', async () => {
    const mark = join(await ownFolder(), 'aborted');
    const options = await moduleOf(
      `import { writeFileSync } from 'node:fs';
       export default () => ({ verify: (_, { signal }) => new Promise(() => {
         writeFileSync(${JSON.stringify(`${mark}-asked`)}, '');
         signal.addEventListener('abort', () => writeFileSync(${JSON.stringify(mark)}, ''));
       }) });`,
    );
    const controller = new AbortController();
    const answer = verifierOf(options).verify('good', controller.signal);
    await expect.poll(() => existsSync(`${mark}-asked`), { timeout: 5000 }).toBe(true);
    controller.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    await expect.poll(() => existsSync(mark), { timeout: 5000 }).toBe(true);
  });
});
