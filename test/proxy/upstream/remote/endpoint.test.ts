import { describe, expect, it } from 'vitest';
import { Endpoint } from '../../../../src/proxy/upstream/remote/endpoint.ts';
import { repositoryName } from '../support/connect.ts';
import { sha256 } from '../support/fake-registry.ts';

const DIGEST = sha256('blob');

describe("Docker Hub's names", () => {
  it.each(['https://docker.io', 'https://index.docker.io', 'https://registry-1.docker.io'])('%s', (url) => {
    const endpoint = new Endpoint(url);
    expect(endpoint.url.origin).toBe('https://registry-1.docker.io');
    expect(endpoint.name).toBe(new URL(url).host);
    const alpine = repositoryName('alpine');
    expect(endpoint.blob(alpine, DIGEST).pathname).toBe(`/v2/library/alpine/blobs/${DIGEST}`);
    expect(endpoint.pullScope(alpine)).toBe('repository:library/alpine:pull');
    expect(endpoint.pullScope(repositoryName('acme/app'))).toBe('repository:acme/app:pull');
  });
});

it('leaves names of other registries alone', () => {
  const endpoint = new Endpoint('http://127.0.0.1:5000');
  expect(endpoint.name).toBe('127.0.0.1:5000');
  expect(endpoint.tags(repositoryName('app'), new URLSearchParams({ n: '5', last: 'a b&c' })).href).toBe(
    'http://127.0.0.1:5000/v2/app/tags/list?n=5&last=a+b%26c',
  );
});
