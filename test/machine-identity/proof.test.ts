import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/index.ts';
import {
  formatProof,
  isMachineNonce,
  looksLikeProof,
  MAXIMUM_PROOF_LENGTH,
  newMachineNonce,
  parseProof,
} from '../../src/machine-identity/index.ts';

const raw = (text: string, kind = 'aws-iid') =>
  new Secret(`drp1.${kind}.${Buffer.from(text).toString('base64url')}`);

describe('a proof', () => {
  it('comes back as it was', () => {
    const proof = formatProof('aws-iid', { document: 'ä€"', nonce: 'n' });
    expect(proof.reveal()).toMatch(/^drp1\.aws-iid\.[\w-]+$/);
    expect(parseProof('aws-iid', proof)).toEqual({ document: 'ä€"', nonce: 'n' });
    expect(looksLikeProof('aws-iid', proof)).toBe(true);
  });

  it('is of one kind only', () => {
    const proof = formatProof('aws-iid', { a: 1 });
    for (const kind of ['aws', 'aws-sts', 'aws-iid.x', 'AWS-IID']) {
      expect(looksLikeProof(kind, proof)).toBe(false);
      expect(parseProof(kind, proof)).toBeUndefined();
    }
    expect(() => formatProof('a.b', {})).toThrow('no kind');
  });

  it('that does not fit into a login is not made, and not read', () => {
    expect(() => formatProof('x', { a: 'y'.repeat(MAXIMUM_PROOF_LENGTH) })).toThrow('does not fit');
    expect(
      parseProof('x', raw(JSON.stringify({ a: 'y'.repeat(MAXIMUM_PROOF_LENGTH) }), 'x')),
    ).toBeUndefined();
  });

  it.each([
    ['a key twice', '{"a":1,"a":1}'],
    ['spaces', '{ "a":1}'],
    ['an odd escape', '{"\\u0061":1}'],
    ['a list', '[1]'],
    ['a text', '"a"'],
    ['null', 'null'],
    ['half a document', '{"a":'],
    ['nothing', ''],
  ])('with %s is none', (_, text) => {
    expect(parseProof('aws-iid', raw(text))).toBeUndefined();
  });

  it('has one spelling: no change of a character leaves it the same', () => {
    const payload = { document: 'some text', nonce: 'some other' };
    const good = formatProof('aws-iid', payload).reveal();
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.string({ minLength: 1, maxLength: 1, unit: 'binary-ascii' }),
        (at, character) => {
          const changed = good.slice(0, at) + character + good.slice(at + 1);
          fc.pre(changed !== good);
          expect(parseProof('aws-iid', new Secret(changed))).not.toEqual(payload);
        },
      ),
    );
    for (const changed of [`${good}=`, `${good}A`, `${good}\n`, ` ${good}`, good.slice(0, -1), `${good}\0`]) {
      expect(parseProof('aws-iid', new Secret(changed))).toBeUndefined();
    }
  });
});

it('is no proof when its bytes are no UTF-8', () => {
  const bytes = Buffer.from('{"\xff":1}', 'latin1').toString('base64url');
  expect(parseProof('x', new Secret(`drp1.x.${bytes}`))).toBeUndefined();
});

describe('a nonce of a machine', () => {
  it('is made of 256 random bits', () => {
    expect(isMachineNonce(newMachineNonce(randomBytes))).toBe(true);
    expect(newMachineNonce(randomBytes)).not.toBe(newMachineNonce(randomBytes));
    for (const other of [
      '',
      'x',
      undefined,
      1,
      'x'.repeat(44),
      `${'x'.repeat(42)}=`,
      `${'x'.repeat(43)}\n`,
    ]) {
      expect(isMachineNonce(other)).toBe(false);
    }
  });
});
