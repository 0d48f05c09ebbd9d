import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { PluginError } from '../../src/plugins/index.ts';
import { redactError, redactLines, redactText } from '../../src/plugins/redact.ts';

it('keeps one line, not too long, without what is secret', () => {
  expect(redactText('a word\nand another', ['canary', ''])).toBe('a word and another');
  expect(redactText('a canary\nand a canary', ['canary'])).toMatch(/^\[left out/);
  expect(redactText('x'.repeat(1000), [''])).toHaveLength(501);
});

it.each(['canary', "can'ary", 'can"ary', 'can\\ary', 'can\nary'])(
  'leaves out a cause that holds the secret %j',
  (secret) => {
    const leaking = new Error('outer', { cause: new Error(`wrong: ${secret}`) });
    const error = redactError(new PluginError('unavailable', `threw: ${secret}`, { cause: leaking }), [
      secret,
    ]);
    expect(inspect(error)).not.toContain(secret);
    expect(error.cause).toBeUndefined();
    const harmless = new Error('harmless');
    expect(redactError(new PluginError('unavailable', 'threw', { cause: harmless }), [secret]).cause).toBe(
      harmless,
    );
  },
);

it('keeps the other lines, unless the secret goes over several', () => {
  expect(redactLines('one\n\n two canary\nthree\n', ['canary'])).toEqual([
    'one',
    expect.stringMatching(/^\[left/),
    'three',
  ]);
  expect(redactLines('one\ntwo\nthree', ['one\ntw'])).toEqual([expect.stringMatching(/^\[left/)]);
});
