import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../src/source/address-guard.ts';

const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

const NOT_PUBLIC_V6 = [
  ['::', 8],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['1000::', 4],
  ['2001::', 23],
  ['2001::', 32],
  ['2001:2::', 48],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
  ['4000::', 2],
  ['5f00::', 16],
  ['8000::', 1],
  ['fc00::', 7],
  ['fd00:ec2::', 32],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const;

/** Generates addresses of a block: the bits of the network, and random bits for the rest. */
function within([network, bits]: readonly [string, number]): fc.Arbitrary<string> {
  const base = ipaddr.parse(network).toByteArray();
  return fc.uint8Array({ minLength: base.length, maxLength: base.length }).map((random) => {
    const bytes = base.map((byte, index) => {
      const mask = 0xff >> Math.min(8, Math.max(0, bits - index * 8));
      return (byte & ~mask) | ((random[index] ?? 0) & mask);
    });
    return ipaddr.fromByteArray(bytes).toString();
  });
}

const privateV4 = fc.oneof(...NOT_PUBLIC_V4.map(within));
const anyV4 = within(['0.0.0.0', 0]);

const hexPair = (octets: number[]) => {
  const hex = octets.map((octet) => octet.toString(16).padStart(2, '0'));
  return `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
};
const EMBEDDINGS: [string, (hex: string, inverted: string) => string][] = [
  ['IPv4-compatible', (hex) => `::${hex}`],
  ['IPv4-mapped', (hex) => `::ffff:${hex}`],
  ['IPv4-translated', (hex) => `::ffff:0:${hex}`],
  ['NAT64', (hex) => `64:ff9b::${hex}`],
  ['local NAT64', (hex) => `64:ff9b:1::${hex}`],
  ['6to4', (hex) => `2002:${hex}::1`],
  ['Teredo, server', (hex) => `2001:0:${hex}:0:0:1:1`],
  ['Teredo, client', (_, inverted) => `2001:0:808:808:0:1:${inverted}`],
  ['ISATAP', (hex) => `2a00:1450:4001:82a:0:5efe:${hex}`],
  ['ISATAP, of a public address', (hex) => `2a00:1450:4001:82a:200:5efe:${hex}`],
];

describe('the address guard', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '168.63.129.15',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:82a::200e',
    '2001:4860:4860::8888',
  ])('accepts the public address %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each(NOT_PUBLIC_V4)('refuses every address of %s/%i', (network, bits) => {
    fc.assert(
      fc.property(within([network, bits]), (address) => !isPublicAddress(address)),
      { numRuns: 50 },
    );
  });

  it.each(NOT_PUBLIC_V6)('refuses every address of %s/%i', (network, bits) => {
    fc.assert(
      fc.property(within([network, bits]), (address) => !isPublicAddress(address)),
      { numRuns: 50 },
    );
  });

  it.each(EMBEDDINGS)('refuses %s addresses that embed any IPv4 address', (_name, embed) => {
    fc.assert(
      fc.property(fc.oneof(privateV4, anyV4), (address) => {
        const octets = address.split('.').map(Number);
        const embedded = embed(hexPair(octets), hexPair(octets.map((octet) => 255 - octet)));
        return !isPublicAddress(embedded) && !isPublicAddress(ipaddr.parse(embedded).toNormalizedString());
      }),
    );
  });

  it.each([
    ['AWS', '169.254.169.254'],
    ['AWS over IPv6', 'fd00:ec2::254'],
    ['ECS credentials', '169.254.170.2'],
    ['Azure WireServer', '168.63.129.16'],
    ['Alibaba', '100.100.100.200'],
    ['Oracle', '192.0.0.192'],
    ['Google over IPv6', 'fd20:ce::254'],
  ])('refuses the metadata service of %s', (_cloud, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '',
    'localhost',
    'example.com',
    '8.8.8',
    '134744072',
    '0x08.8.8.8',
    '010.8.8.8',
    '8.8.8.8.',
    ' 8.8.8.8',
    '8.8.8.8/32',
    '[2606:4700:4700::1111]',
    '2606:4700:4700::1111%eth0',
    'fe80::1%eth0',
    '::ffff:8.8.8.8',
  ])('refuses %j, which no resolver and no parsed URL returns for a public address', (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });

  it('never throws, for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof isPublicAddress(text) === 'boolean'));
  });
});
