import fc from 'fast-check';
import { decodeMessage } from '../../../src/queue/message.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import { share } from '../share.ts';

const mostly = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: fc.anything() });
const job = fc.record(
  {
    unit: mostly(fc.constantFrom('u1', 'u2', 'u3', 'u'.repeat(128))),
    images: mostly(fc.nat()),
    retry: mostly(fc.boolean()),
    invalidate: mostly(fc.constant(true)),
    upgrade: mostly(
      fc.record({
        src: fc.webUrl(),
        width: fc.integer({ min: -1 }),
        tier: fc.constantFrom('high', 'x'),
        format: fc.constant('avif'),
      }),
    ),
  },
  { requiredKeys: ['unit', 'images', 'retry'] },
);
const message = mostly(
  fc.record({ v: mostly(fc.constant(1)), jobs: mostly(fc.array(job, { maxLength: 4 })) }),
);

const inputs = fc
  .record({
    message,
    cut: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, share),
  })
  .map(({ message, cut }) => {
    const text = stringify(message);
    return { body: text.slice(0, Math.floor(cut * text.length)) };
  });

/** Bodies of messages of the queue, for their reader alone: each has jobs with valid units, or is refused as a whole. */
export const messagesKind: Kind = kind<{ body: string }>({
  name: 'messages',
  concurrency: 1,
  inputs,
  async send({ body }) {
    try {
      const jobs = decodeMessage(body);
      if (jobs.some(({ unit }) => !/^[\w.~-]{1,128}$/.test(unit)))
        throw new Finding('a job with an invalid unit');
      return 'jobs';
    } catch (error) {
      if (error instanceof Finding) throw error;
      if ((error as Error).message !== 'not a message with units')
        throw new Finding(String((error as Error).stack));
      return 'refused';
    }
  },
});

/** Not everything has a JSON text. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
