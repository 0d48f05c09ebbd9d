import { describe, expect, it } from 'vitest';
import { guardedLookup, isPublicAddress, type Reach, requireSafeUrl } from '../../src/network/index.ts';

const PRIVATE = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '192.168.1.1',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '::ffff:0:127.0.0.1',
  'fe80::1',
  'fec0::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '64:ff9b::127.0.0.1',
  '64:ff9b:1::7f00:1',
  '64:ff9b:1::8.8.8.8',
  'localhost',
  '',
];
const PUBLIC = ['8.8.8.8', '52.216.1.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'];

describe('public addresses', () => {
  it.each(PRIVATE)('%s is none', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(PUBLIC)('%s is one', (address) => expect(isPublicAddress(address)).toBe(true));
});

describe('a URL that only somebody else names', () => {
  it.each([
    'http://storage.example.com/x',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://[::ffff:7f00:1]/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/x',
    'https://a.localhost./x',
  ])('%s is refused before anything is looked up', (url) => {
    expect(() => requireSafeUrl(new URL(url), 'public')).toThrow(
      expect.objectContaining({ name: 'UnsafeAddressError' }),
    );
    expect(() => requireSafeUrl(new URL(url), 'any')).not.toThrow();
  });
});

describe('the guarded look-up', () => {
  const look = (reach: Reach, addresses: string[], all = true) =>
    new Promise<unknown>((resolve) => {
      const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      guardedLookup(reach, async () => found)('host.example.com', { all }, (error, address) => {
        resolve(error ? error.name : address);
      });
    });

  it('leaves out addresses that are not public', async () => {
    expect(await look('public', ['10.0.0.1', '8.8.8.8', '::1'])).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await look('public', ['10.0.0.1', '8.8.8.8'], false)).toBe('8.8.8.8');
  });

  it('is unsafe when none is left', async () => {
    expect(await look('public', ['169.254.169.254', 'fd00:ec2::254'])).toBe('UnsafeAddressError');
    expect(await look('public', [])).toBe('UnsafeAddressError');
  });

  it('takes any address of an origin that the configuration names', async () => {
    expect(await look('any', ['10.0.0.1'])).toEqual([{ address: '10.0.0.1', family: 4 }]);
    expect(await look('any', ['127.0.0.1'], false)).toBe('127.0.0.1');
  });
});
