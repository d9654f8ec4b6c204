import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { UnitEvent } from '../../../src/notify/unit-event.ts';
import { startOrigin } from '../http/service.ts';

export const SECRET = `whsec_${Buffer.from('a secret of twenty-four bytes').toString('base64')}`;

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  event: UnitEvent;
}

/** A receiver of webhooks on loopback. `answer` says what it answers; by default that it has taken the event. */
export async function startReceiver(
  answer: (received: Received, nth: number, response: ServerResponse) => void = (_received, _nth, response) =>
    void response.end(),
) {
  const attempts: Received[] = [];
  const origin = await startOrigin(async (request, response) => {
    const body = await text(request);
    const received = { headers: request.headers, body, event: JSON.parse(body) as UnitEvent };
    attempts.push(received);
    answer(received, attempts.length, response);
  });
  return {
    ...origin,
    /** All requests so far. */
    attempts,
    events: () => attempts.map(({ event }) => event),
    /** What makes a service send its events here. */
    env: {
      NOTIFY: `${origin.url}/hook`,
      NOTIFY_ALLOW_PRIVATE: origin.authority,
      NOTIFY_SECRET: SECRET,
    },
  };
}

/** Verifies a webhook as Standard Webhooks describes it for receivers. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return String(signatures).split(' ').includes(`v1,${expected}`);
}
