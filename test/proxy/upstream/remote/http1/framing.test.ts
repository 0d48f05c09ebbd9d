import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../../../src/proxy/upstream/index.ts';
import {
  framingOf,
  keepsConnection,
  type ResponseHead,
} from '../../../../../src/proxy/upstream/remote/http1/index.ts';

function head(headers: Record<string, string[]>, status = 200, minorVersion = 1): ResponseHead {
  return { status, minorVersion, headers: new Map(Object.entries(headers)) };
}

describe('the framing of a body', () => {
  it.each([
    [head({ 'content-length': ['12'] }), { type: 'length', lengthBytes: 12 }],
    [head({ 'content-length': ['12', '12'] }), { type: 'length', lengthBytes: 12 }],
    [head({ 'transfer-encoding': ['Chunked'] }), { type: 'chunked' }],
    [head({}), { type: 'until-close' }],
    [head({ 'content-length': ['12'] }, 304), { type: 'none' }],
    [head({}, 204), { type: 'none' }],
  ])('%#', (given, framing) => {
    expect(framingOf(given)).toEqual(framing);
  });

  it.each([
    [{ 'content-length': ['12', '13'] }],
    [{ 'content-length': ['12, 12'] }],
    [{ 'content-length': ['+12'] }],
    [{ 'content-length': ['-1'] }],
    [{ 'content-length': ['0x10'] }],
    [{ 'content-length': [''] }],
    [{ 'content-length': ['9999999999999999'] }],
    [{ 'content-length': ['5'], 'transfer-encoding': ['chunked'] }],
    [{ 'transfer-encoding': ['gzip, chunked'] }],
    [{ 'transfer-encoding': ['chunked', 'chunked'] }],
    [{ 'transfer-encoding': ['identity'] }],
  ])('of %j is faulty', (headers: Record<string, string[]>) => {
    expect(() => framingOf(head(headers))).toThrow(UpstreamError);
  });

  it('says whether the connection can be used again', () => {
    const keeps = (given: ResponseHead) => keepsConnection(given, framingOf(given));
    expect(keeps(head({ 'content-length': ['1'] }))).toBe(true);
    expect(keeps(head({}))).toBe(false);
    expect(keeps(head({ 'content-length': ['1'], connection: ['keep-alive, Close'] }))).toBe(false);
    expect(keeps(head({ 'content-length': ['1'] }, 200, 0))).toBe(false);
  });
});
