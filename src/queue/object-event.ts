import { z } from 'zod';
import type { ObjectToIngest } from './queue.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const notification = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal('aws:s3'),
        eventName: z.string(),
        s3: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
      }),
    )
    .min(1),
});
/** What S3 sends when notifications are set up. */
const testEvent = z.object({ Service: z.literal('Amazon S3'), Event: z.literal('s3:TestEvent') });
/** How far an object was ingested: what this program adds to an event that it sends to itself. */
const progress = z.object({ etag: z.string(), entries: z.int().min(0) });
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
const bridged = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.string(),
  detail: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
  // One that is damaged costs no more than time.
  edgepress: progress.optional().catch(undefined),
});

/**
 * Returns the objects that the body of a message says are new: of a notification of S3, or an event of EventBridge. None for S3's test event,
 * other events of S3, and folders (empty objects whose key ends with a slash).
 *
 * @returns `undefined` if the body is no event of S3
 */
export function readObjectEvent(body: string): ObjectToIngest[] | undefined {
  return objectsIn(parseJson(body))?.filter(({ key }) => !key.endsWith('/'));
}

/**
 * Returns the body of a message that has an object ingested further: an event as EventBridge sends it, which older versions of this
 * program ingest from its begin.
 */
export function encodeObjectEvent({ bucket, key, progress }: ObjectToIngest): string {
  const event: z.infer<typeof bridged> = {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: bucket }, object: { key } },
    edgepress: progress,
  };
  return JSON.stringify(event);
}

function objectsIn(event: unknown): ObjectToIngest[] | undefined {
  if (testEvent.safeParse(event).success) return [];
  const { data: fromBridge } = bridged.safeParse(event);
  if (fromBridge) {
    if (fromBridge['detail-type'] !== 'Object Created') return [];
    const { bucket, object } = fromBridge.detail;
    const { edgepress: progress } = fromBridge;
    return [{ bucket: bucket.name, key: object.key, ...(progress && { progress }) }];
  }
  return notification
    .safeParse(event)
    .data?.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'))
    .map(({ s3 }) => ({ bucket: s3.bucket.name, key: decodeKey(s3.object.key) }));
}

/** Notifications have keys as in a query string: `+` is a space. */
function decodeKey(key: string): string {
  const spaced = key.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return key;
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
