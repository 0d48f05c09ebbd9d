import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CredentialProviderError } from '../../../src/kubelet/credential-provider/index.ts';
import { parsePluginRequest, REQUEST_LIMIT_BYTES } from '../../../src/kubelet/credential-provider/request.ts';
import { question } from './question.ts';

describe("kubelet's question", () => {
  it('names an image', () => {
    expect(parsePluginRequest(question('docker.example.com/app'))).toEqual({
      image: 'docker.example.com/app',
      serviceAccountToken: undefined,
    });
  });

  it("may come with the pod's token, and with keys that are not known yet", () => {
    const text = question('docker.example.com/app', {
      serviceAccountToken: 'canary-token',
      serviceAccountAnnotations: { 'example.com/team': 'a' },
      later: true,
    });
    expect(parsePluginRequest(text).serviceAccountToken?.reveal()).toBe('canary-token');
  });

  it.each([
    ['nothing', '', /standard input is no JSON object/],
    ['a list', '[]', /standard input is no JSON object/],
    ['half of it', question('a/b').slice(0, -1), /standard input is no JSON object/],
    [
      'an older version',
      question('a', { apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1' }),
      /v1beta1: write apiVersion: credentialprovider.kubelet.k8s.io\/v1 /,
    ],
    ['no version', question('a', { apiVersion: undefined }), /something else: write apiVersion/],
    [
      'another kind',
      question('a', { kind: 'CredentialProviderResponse' }),
      /expected a CredentialProviderRequest/,
    ],
    ['no image', question('', {}), /names no image/],
    ['an image that is no text', question('a', { image: 1 }), /names no image/],
    ['a token that is no text', question('a', { serviceAccountToken: {} }), /serviceAccountToken/],
    ['too much', question('a'.repeat(REQUEST_LIMIT_BYTES)), /larger than/],
  ])('is refused when it is %s', (_, text, message) => {
    expect(() => parsePluginRequest(text)).toThrow(message);
    expect(() => parsePluginRequest(text)).toThrow(CredentialProviderError);
  });

  it('is answered or refused, whatever it is, and no refusal repeats the token', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((extra) => question('a/b', { ...extra, serviceAccountToken: 'canary-token' })),
      fc.string().map((text) => `${question('a/b', { serviceAccountToken: 'canary-token' })}${text}x`),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          expect(parsePluginRequest(text).image).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(CredentialProviderError);
          expect(String(error)).not.toContain('canary');
        }
      }),
    );
  });
});
