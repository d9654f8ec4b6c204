import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../src/queue/message.ts';
import { encodeObjectEvent, readObjectEvent } from '../../src/queue/object-event.ts';

const record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventSource: 'aws:s3',
  eventName,
  s3: { bucket: { name: 'deliveries' }, object: { key, size: 1 } },
});
const bridged = (key: string, type = 'Object Created') => ({
  source: 'aws.s3',
  'detail-type': type,
  detail: { bucket: { name: 'deliveries' }, object: { key, size: 1 } },
});
const read = (event: unknown) => readObjectEvent(JSON.stringify(event));

describe('readObjectEvent', () => {
  it('reads the objects of a notification of S3, whose keys are encoded as in a query string', () => {
    const Records = [
      record('units/a+b%2Bc.csv'),
      record('units/%C3%A4.jsonl', 'ObjectCreated:CompleteMultipartUpload'),
    ];
    expect(read({ Records })).toEqual([
      { bucket: 'deliveries', key: 'units/a b+c.csv' },
      { bucket: 'deliveries', key: 'units/ä.jsonl' },
    ]);
  });

  it('reads the object of an event of EventBridge, whose key is as it is', () => {
    expect(read(bridged('units/a+b%2B.csv'))).toEqual([{ bucket: 'deliveries', key: 'units/a+b%2B.csv' }]);
  });

  it('reads how far an object was ingested, of an event that this program has sent', () => {
    const object = { bucket: 'deliveries', key: 'a b+.csv', progress: { etag: '"e"', entries: 12 } };
    expect(readObjectEvent(encodeObjectEvent(object))).toEqual([object]);
    expect(read({ ...bridged('a.csv'), edgepress: { entries: 'x' } })).toEqual([
      { bucket: 'deliveries', key: 'a.csv' },
    ]);
  });

  it.each([
    ["S3's test event", { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'deliveries' }],
    ['a folder', { Records: [record('units/')] }],
    ['an object that was deleted', { Records: [record('units/a.csv', 'ObjectRemoved:Delete')] }],
    ['an object that was deleted, of EventBridge', bridged('units/a.csv', 'Object Deleted')],
  ])('has no object in %s', (_, event) => {
    expect(read(event)).toEqual([]);
  });

  it.each([
    ['a message with jobs', encodeMessage([{ unit: 'unit-1', images: 1, retry: false }])],
    ['an event of another service', JSON.stringify({ ...bridged('a'), source: 'aws.ec2' })],
    ['a notification without records', '{"Records":[]}'],
    ['what is no JSON', 'Records'],
  ])('leaves %s to others', (_, body) => {
    expect(readObjectEvent(body)).toBeUndefined();
  });
});
