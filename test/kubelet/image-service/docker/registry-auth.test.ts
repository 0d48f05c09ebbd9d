import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authConfig } from '../../../../src/kubelet/image-service/auth-config.ts';
import { registryAuth } from '../../../../src/kubelet/image-service/docker/registry-auth.ts';

/** As Go's base64.URLEncoding does: only its alphabet, and never without padding. */
function decode(header: string | undefined): unknown {
  if (header === undefined) return undefined;
  expect(header).toMatch(/^[A-Za-z0-9_-]*={0,2}$/);
  expect(header.length % 4).toBe(0);
  return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
}

const encode = (fields: Partial<Record<string, string>>) => decode(registryAuth(authConfig(fields)));

describe('X-Registry-Auth', () => {
  it('is absent without a credential', () => {
    expect(registryAuth(undefined)).toBeUndefined();
    expect(encode({})).toBeUndefined();
    expect(encode({ serverAddress: 'https://docker.example.com' })).toBeUndefined();
  });

  it("has Docker's names for what CRI has", () => {
    expect(
      encode({
        username: 'acme',
        password: 'secret',
        serverAddress: 'https://docker.example.com',
        identityToken: 'i',
        registryToken: 'r',
      }),
    ).toEqual({
      username: 'acme',
      password: 'secret',
      serveraddress: 'https://docker.example.com',
      identitytoken: 'i',
      registrytoken: 'r',
    });
    expect(encode({ identityToken: 'i' })).toEqual({ identitytoken: 'i' });
    expect(encode({ registryToken: 'r' })).toEqual({ registrytoken: 'r' });
  });

  it('reads user name and password from `auth` when they do not stand by themselves', () => {
    const auth = Buffer.from('acme:se:cret').toString('base64');
    expect(encode({ auth })).toEqual({ username: 'acme', password: 'se:cret' });
    expect(encode({ auth, username: 'other', password: 'p' })).toEqual({ username: 'other', password: 'p' });
    expect(encode({ auth: Buffer.from('nothing').toString('base64') })).toBeUndefined();
  });

  it('comes out as it went in, padded, in the URL alphabet', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.string({ unit: 'binary', minLength: 1 }),
        (username, password) => {
          expect(encode({ username, password })).toEqual({ username, password });
        },
      ),
      { numRuns: 200 },
    );
  });
});
