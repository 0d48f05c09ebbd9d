import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatNextLink,
  formatRange,
  parseContentRange,
  parseDescriptor,
  parseNextLink,
  parseRange,
  parseReference,
  parseRepositoryName,
  parseTag,
  RegistryError,
} from '../../src/oci/index.ts';

describe('repository name', () => {
  it.each(['a', 'team/app', 'a/b/c/d/e', 'a-b', 'a--b', 'a_b', 'a__b', 'a.b', '0/1'])('takes %s', (name) => {
    expect(parseRepositoryName(name)).toBe(name);
  });

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'A',
    'a_',
    '_a',
    'a___b',
    'a..b',
    '.',
    '..',
    'a/../b',
    'a%2fb',
    'a\0',
    'ä',
    'a b',
    'a'.repeat(256),
    'host:5000/a',
  ])('refuses %j', (name) => {
    expect(parseRepositoryName(name)).toBeUndefined();
  });
});

describe('reference', () => {
  it('is a digest where there is a colon, else a tag', () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(parseReference('v1')).toEqual({ type: 'tag', tag: 'v1' });
    expect(parseReference(digest)).toEqual({ type: 'digest', digest });
    expect(parseReference('sha256:abc')).toBeUndefined();
    for (const tag of ['', '.a', '-a', 'a/b', 'a'.repeat(129), 'a\n'])
      expect(parseTag(tag), tag).toBeUndefined();
  });
});

describe('range', () => {
  it('takes one range of bytes', () => {
    expect(parseRange('bytes=0-99')).toEqual({ start: 0, end: 99 });
    expect(parseRange('bytes=5-')).toEqual({ start: 5 });
    for (const header of [
      'bytes=-5',
      'bytes=9-5',
      'bytes=0-1,3-4',
      'items=0-1',
      'bytes=a-b',
      'bytes=99999999999999999-',
    ]) {
      expect(parseRange(header), header).toBeUndefined();
    }
    expect(parseContentRange('bytes 0-4/10')).toEqual({ start: 0, end: 4, size: 10 });
    expect(parseContentRange('bytes 0-4/*')).toEqual({ start: 0, end: 4 });
    expect(parseContentRange('bytes 4-0/10')).toBeUndefined();
    expect(parseContentRange('bytes */10')).toBeUndefined();
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat(), { nil: undefined }), (start, length) => {
        const range = length === undefined ? { start } : { start, end: start + length };
        expect(parseRange(formatRange(range))).toEqual(range);
      }),
    );
  });
});

describe('link', () => {
  it('finds the next page among other relations', () => {
    expect(parseNextLink('</a>; rel="prev", </v2/x?last=b&n=2>; title=x; rel=next')).toBe('/v2/x?last=b&n=2');
    expect(parseNextLink('</a>; rel="last"')).toBeUndefined();
    expect(parseNextLink(formatNextLink('/v2/_catalog?n=1'))).toBe('/v2/_catalog?n=1');
    fc.assert(fc.property(fc.string(), (text) => void parseNextLink(text)));
  });
});

describe('descriptor', () => {
  it('keeps what it knows, and never urls', () => {
    const digest = `sha256:${'1'.repeat(64)}`;
    const text = JSON.stringify({
      mediaType: 'm',
      digest,
      size: 3,
      urls: ['https://evil.example'],
      annotations: { a: 'b' },
    });
    expect(parseDescriptor(JSON.parse(text))).toEqual({
      mediaType: 'm',
      digest,
      size: 3,
      annotations: { a: 'b' },
    });
    expect(parseDescriptor({ mediaType: 'm', digest: 'sha256:x', size: 3 })).toBeUndefined();
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseDescriptor(value)));
  });
});

describe('registry error', () => {
  it('has the form of the protocol', () => {
    const error = new RegistryError('NAME_UNKNOWN', 'no such name', {
      detail: { name: 'a' },
      cause: new Error('secret'),
    });
    expect(error.status).toBe(404);
    expect(JSON.parse(error.body())).toEqual({
      errors: [{ code: 'NAME_UNKNOWN', message: 'no such name', detail: { name: 'a' } }],
    });
  });
});
