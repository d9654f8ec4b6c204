import { describe, expect, it } from 'vitest';
import { CLIENT } from '../../src/queue/queue.ts';
import { clientOf } from '../../src/unit/client-of.ts';

const images = [{ src: 'https://photos.test:8080/a.jpg' }, { src: 'https://other.test/b.jpg' }];

describe('clientOf', () => {
  it.each([
    ['the group of a unit', { group: 'client-7', images }, 'client-7'],
    ['the host of its first image without one', { images }, 'photos.test:8080'],
    ['the bucket of its first image', { images: [{ src: 's3://bucket/a.jpg' }] }, 'bucket'],
    ['nothing for a unit without images', { images: [] }, undefined],
    ['nothing when the first image is no URL', { images: [{ src: 'a.jpg' }] }, undefined],
  ])('is %s', (_name, unit, client) => {
    expect(clientOf(unit)).toBe(client);
  });

  it.each([
    ['is too long', `https://${'a.'.repeat(100)}test/a.jpg`],
    ['has characters that SQS refuses', 's3://b%C3%A4r/a.jpg'],
  ])('is a hash when the host %s', (_name, src) => {
    const client = clientOf({ images: [{ src }] });
    expect(client).toMatch(CLIENT);
    expect(client).toMatch(/^[0-9a-f]{64}$/);
  });
});
