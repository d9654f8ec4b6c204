import { describe, expect, it } from 'vitest';
import { sourceIdentity } from '../../src/protocol/source-identity.ts';

const RULES = [
  { host: '*.amazonaws.com', names: ['X-Amz-*'] },
  { host: 'images.example.com', names: ['token', 'expires'] },
  { host: 'any.example.com', names: ['*'] },
];

describe('the identity of a source', () => {
  it.each([
    [
      'https://bucket.s3.amazonaws.com/a.jpg?X-Amz-Date=1&v=2&X-Amz-Signature=abc',
      'https://bucket.s3.amazonaws.com/a.jpg?v=2',
    ],
    ['https://bucket.s3.amazonaws.com/a.jpg?X-Amz-Signature=abc', 'https://bucket.s3.amazonaws.com/a.jpg'],
    [
      'https://images.example.com:8443/a.jpg?token=1&expires=2&w=3',
      'https://images.example.com:8443/a.jpg?w=3',
    ],
    ['https://IMAGES.example.com/a.jpg?token', 'https://IMAGES.example.com/a.jpg'],
    ['https://any.example.com/a.jpg?a=1&b=2', 'https://any.example.com/a.jpg'],
  ])('leaves out the parameters that are ignored for its host: %s', (src, identity) => {
    expect(sourceIdentity(src, RULES)).toBe(identity);
  });

  it.each([
    'https://images.example.com/a.jpg?Token=1&tokens=2&x=token',
    'https://evilamazonaws.com/a.jpg?X-Amz-Date=1',
    'https://amazonaws.com/a.jpg?X-Amz-Date=1',
    'https://sub.images.example.com/a.jpg?token=1',
    'https://other.example.com/a.jpg?token=1',
    'https://other.example.com/?u=https://images.example.com/a.jpg?token=1',
    'https://images.example.com/token=1',
    's3://images.example.com/a.jpg?token=1',
    'unit-1',
  ])('is the whole of %s', (text) => {
    expect(sourceIdentity(text, RULES)).toBe(text);
  });

  it('is the source itself without rules', () => {
    expect(sourceIdentity('https://x.test/a?b=1', [])).toBe('https://x.test/a?b=1');
  });
});
