import fc from 'fast-check';

/** What lengths, markers and introducers of blocks are made of. */
const telling = fc.constantFrom(
  ...[
    '00',
    'ff',
    'ffd8',
    'ffd9',
    'ffda0002',
    'ffe00002',
    'ff01',
    'ffffffff',
    '7fffffff',
    '00000000',
    '21ff00',
    '2c',
    '3b',
  ].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
);

/** A place in a file, as a share of its length: each as likely as any other, which `fc.double` is not. */
const share = (from: number, to: number) =>
  fc.noBias(fc.nat(999_999)).map((step) => from + ((to - from) * step) / 1e6);

export interface Mutation {
  at: number;
  kind: 'set' | 'insert' | 'remove' | 'cut';
  bytes: Uint8Array;
}

/** Changes of a file: bytes that others replace, pieces that come in or go, and an early end. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    // Headers are near the beginning, and what a reader may read beyond is at the end.
    at: fc.oneof(share(0, 1), share(0, 0.1), share(0.95, 1)),
    kind: fc.constantFrom('set', 'set', 'insert', 'remove', 'cut'),
    bytes: fc.oneof(telling, fc.uint8Array({ minLength: 1, maxLength: 8 })),
  }),
  { minLength: 1, maxLength: 5 },
);

export function mutate(file: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce((bytes, { at: place, kind, bytes: values }) => {
    const at = Math.floor(place * bytes.length);
    if (kind === 'cut') return bytes.subarray(0, at);
    const rest = bytes.subarray(kind === 'insert' ? at : at + values.length);
    return Buffer.concat([bytes.subarray(0, at), ...(kind === 'remove' ? [] : [values]), rest]);
  }, file);
}
