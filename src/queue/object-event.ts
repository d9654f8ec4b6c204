import { z } from 'zod';
import type { ObjectName } from './queue.ts';

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
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
const bridged = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.string(),
  detail: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});

/**
 * Returns the objects that the body of a message says are new: of a notification of S3, or an event of EventBridge. None for S3's test event,
 * other events of S3, and folders (empty objects whose key ends with a slash).
 *
 * @returns `undefined` if the body is no event of S3
 */
export function readObjectEvent(body: string): ObjectName[] | undefined {
  return namesIn(parseJson(body))?.filter(({ key }) => !key.endsWith('/'));
}

function namesIn(event: unknown): ObjectName[] | undefined {
  if (testEvent.safeParse(event).success) return [];
  const { data: fromBridge } = bridged.safeParse(event);
  if (fromBridge) {
    const { bucket, object } = fromBridge.detail;
    return fromBridge['detail-type'] === 'Object Created' ? [{ bucket: bucket.name, key: object.key }] : [];
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
