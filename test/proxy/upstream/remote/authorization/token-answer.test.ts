import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../../../src/proxy/upstream/index.ts';
import { parseTokenAnswer } from '../../../../../src/proxy/upstream/remote/authorization/token-answer.ts';

describe("a token server's answer", () => {
  it.each([
    ['{"token":"a"}', { value: 'a', lifetimeSeconds: 60 }],
    ['{"access_token":"b","expires_in":300}', { value: 'b', lifetimeSeconds: 300 }],
    ['{"token":"a","access_token":"b"}', { value: 'a', lifetimeSeconds: 60 }],
    ['{"token":"","access_token":"b","expires_in":0}', { value: 'b', lifetimeSeconds: 60 }],
    ['{"token":"a","expires_in":-5}', { value: 'a', lifetimeSeconds: 60 }],
    ['{"token":"a","expires_in":1e300}', { value: 'a', lifetimeSeconds: 86_400 }],
  ])('%s', (text, token) => {
    expect(parseTokenAnswer(text)).toEqual(token);
  });

  it.each([
    '',
    '[]',
    'null',
    '{}',
    '{"token":5}',
    '{"token":"a b"}',
    '{"token":"a\\r\\nX: y"}',
    '<html>',
    `{"token":"${'a'.repeat(40_000)}"}`,
  ])('is faulty when it is %.20s', (text) => {
    expect(() => parseTokenAnswer(text)).toThrow(UpstreamError);
  });
});
