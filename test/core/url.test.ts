import { expect, it } from 'vitest';
import { isLoopbackHost } from '../../src/core/index.ts';

it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.255.255.254', '::1', '[::1]'])(
  '%s is this machine',
  (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  },
);

it.each([
  '',
  'localhost.example.com',
  'my-localhost',
  '127.0.0.1.example.com',
  '127.1',
  '127.0.0.256',
  '128.0.0.1',
  '10.0.0.1',
  '[::2]',
  '::ffff:127.0.0.1',
  '0.0.0.0',
])('%s is taken for another one', (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});
