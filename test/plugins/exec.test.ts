import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFolder } from '../support/own-folder.ts';
import { createLogBook, errorOf, parseOptions, providerOf, verifierOf } from './support.ts';

/** Runs a line of shell for each question but `describe`; the question is in `$question`. */
function program(line: string, options: Readonly<Record<string, unknown>> = {}, ...args: string[]) {
  const script = `read -r question; case $question in *'"describe"'*) echo '{}'; exit;; esac; ${line}`;
  return parseOptions({ type: 'exec', command: ['/bin/sh', '-c', script, 'plugin', ...args], ...options });
}

const refuse = (words: string) => `printf '{"refused":{"reason":"%s"}}' "${words}"`;

function isAlive(pid: number): boolean {
  try {
    // A zombie waits for its new parent only.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a program', () => {
  it('gets the question as JSON, with the contract that it is of', async () => {
    const folder = await ownFolder();
    const { verify } = verifierOf(
      program(`printf '%s' "$question" >"$1/question"; ${refuse('no')}`, {}, folder),
    );
    await verify('pass"word\n$(id)');
    expect(JSON.parse(readFileSync(join(folder, 'question'), 'utf8'))).toEqual({
      protocol: 'drp.plugin.v1',
      verify: { username: 'ada', password: 'pass"word\n$(id)', context: { name: 'custom' } },
    });
  });

  it('sees no secret in its arguments and only the variables that are allowed', async () => {
    const folder = await ownFolder();
    const line = `tr '\\0' '\\n' </proc/$$/cmdline >"$1/cmdline"; tr '\\0' '\\n' </proc/$$/environ >"$1/environ"; pwd >"$1/pwd"; ${refuse('no')}`;
    const env = { LANG: 'C.UTF-8', DRP_SECRET: 'canary-variable', HOME: '/root' };
    const { verify } = verifierOf(program(line, { environment: ['LANG', 'MISSING'] }, folder), { env });
    await verify('canary-password');
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    expect(read('environ').split('\n').filter(Boolean).sort()).toEqual([
      'LANG=C.UTF-8',
      'PATH=/usr/local/bin:/usr/bin:/bin',
    ]);
    expect(read('cmdline')).not.toContain('canary');
    expect(read('pwd')).toBe('/\n');
  });

  it('is no shell command', async () => {
    const folder = await ownFolder();
    const options = parseOptions({ type: 'exec', command: ['/bin/echo', `$(touch ${folder}/x); \`id\``] });
    expect((await errorOf(verifierOf(options).verify())).code).toBe('nonsense');
  });

  it.each([
    ['exit 3', 'ended with exit code 3'],
    ['kill -TERM $$', 'ended with SIGTERM'],
    ['echo \'{"identity":{"name":"ada"}}\'; exit 1', 'ended with exit code 1'],
  ])('that does "%s" is out of order', async (line, message) => {
    const error = await errorOf(verifierOf(program(line)).verify());
    expect(error).toMatchObject({ code: 'unavailable', message });
  });

  it.each(['/nowhere/at/all', '/etc/passwd', '/'])('that is %s can not be run', async (path) => {
    const options = parseOptions({ type: 'exec', command: [path] });
    const error = await errorOf(verifierOf(options).verify());
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining("can't be run") });
  });

  it('may answer without reading the question', async () => {
    const options = parseOptions({ type: 'exec', command: ['/bin/echo', '{"none":{}}'] });
    for (let time = 0; time < 5; time += 1) expect(await providerOf(options).fetch()).toBeUndefined();
  });

  it('is killed with all that it started, when time is over', async () => {
    const folder = await ownFolder();
    const line = `sleep 1000 & echo $! >"$1/child"; echo $$ >"$1/self"; wait`;
    const { verify } = verifierOf(program(line, { timeout: '1s' }, folder));
    expect((await errorOf(verify())).code).toBe('timeout');
    for (const name of ['child', 'self']) {
      const pid = Number(readFileSync(join(folder, name), 'utf8'));
      expect(pid).toBeGreaterThan(1);
      await expect.poll(() => isAlive(pid)).toBe(false);
    }
  });

  it('leaves nothing behind when it ends well', async () => {
    const folder = await ownFolder();
    const line = `sleep 1000 & echo $! >"$1/child"; ${refuse('no')}`;
    const { verify } = verifierOf(program(line, {}, folder));
    expect(await verify()).toEqual({ type: 'refused', reason: 'no' });
    const pid = Number(readFileSync(join(folder, 'child'), 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('is killed when the plugin is closed, and closing waits for that', async () => {
    const folder = await ownFolder();
    const { plugin, verify } = verifierOf(program('echo $$ >"$1/self"; exec sleep 1000', {}, folder));
    const answer = errorOf(verify());
    const pid = await expect
      .poll(() => Number(readFileSync(join(folder, 'self'), 'utf8')), { timeout: 5000 })
      .toBeGreaterThan(1)
      .then(() => Number(readFileSync(join(folder, 'self'), 'utf8')));
    await plugin.close();
    expect(isAlive(pid)).toBe(false);
    expect((await answer).code).toBe('closed');
  });

  it('has its standard error logged line by line, without the password, and not without end', async () => {
    const { log, lines } = createLogBook();
    const line = `echo "first $question" >&2; yes 'second line' | head -n 100000 >&2; ${refuse('no')}`;
    const { plugin, verify } = verifierOf(program(line), { log });
    await verify('canary-"password');
    await plugin.close();
    const entries = lines.map((text) => JSON.parse(text)).filter(({ msg }) => /standard error/.test(msg));
    expect(entries[0]).toMatchObject({ plugin: 'custom', stderr: expect.stringMatching(/^\[left out/) });
    expect(entries[1]).toMatchObject({ stderr: 'second line' });
    expect(entries.length).toBeLessThan(60);
    expect(lines.join('')).not.toContain('canary');
  });

  it('runs so many times at once, and no more', async () => {
    const folder = await ownFolder();
    const line = `mkdir -p "$1/$$"; ls "$1" | wc -l >>"$1.counts"; sleep 0.05; rmdir "$1/$$"; ${refuse('no')}`;
    const { verify } = verifierOf(program(line, { concurrency: 2, timeout: '9s' }, join(folder, 'runs')));
    await Promise.all(Array.from({ length: 8 }, () => verify()));
    const counts = readFileSync(join(folder, 'runs.counts'), 'utf8').trim().split('\n').map(Number);
    expect(counts).toHaveLength(8);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
  });
});

describe('options of a program', () => {
  it.each([
    ['no program', { command: [] }],
    ['a relative path', { command: ['plugin.py'] }],
    ['a command line', { command: '/usr/bin/plugin --verbose' }],
    ['a NUL', { command: ['/usr/bin/plugin', 'a\0b'] }],
    ['a variable with a value', { command: ['/usr/bin/plugin'], environment: ['A=b'] }],
    ['no time', { command: ['/usr/bin/plugin'], timeout: '0s' }],
    ['too much time', { command: ['/usr/bin/plugin'], timeout: '2m' }],
    ['an unknown key', { command: ['/usr/bin/plugin'], shell: true }],
  ])('are refused with %s', (_, options) => {
    expect(() => parseOptions({ type: 'exec', ...options })).toThrow();
  });
});
