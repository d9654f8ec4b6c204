import { describe, expect, it, onTestFinished } from 'vitest';
import { createEventBridgeSender, createSnsSender } from '../../src/notify/aws-senders.ts';
import type { Sender } from '../../src/notify/sender.ts';
import { startOrigin } from '../support/http/service.ts';
import { credentials, startRecordingEndpoint } from '../support/notify/recording-endpoint.ts';

const MESSAGE = {
  id: 'evt_0a1b',
  type: 'unit.completed',
  unit: 'unit-1',
  body: '{"id":"evt_0a1b","type":"unit.completed","data":{"unit":"unit-1","name":"é & ?"}}',
};
const PUBLISHED =
  '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
const snsError = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;

function closing(sender: Sender): Sender {
  onTestFinished(() => sender.close());
  return sender;
}

async function setUpSns(answers: { status: number; body: string }[], name = 'units') {
  const { endpoint, calls } = await startRecordingEndpoint(
    (nth) => answers[nth - 1] ?? answers.at(-1) ?? { status: 200, body: PUBLISHED },
  );
  const topicArn = `arn:aws:sns:eu-west-1:123456789012:${name}`;
  const sender = createSnsSender({ topicArn, region: 'eu-west-1' }, { endpoint, credentials });
  return { topicArn, sender: closing(sender), calls };
}

describe('an SNS topic', () => {
  it('is sent the event as message, with attributes that subscriptions can filter by', async () => {
    const { sender, calls, topicArn } = await setUpSns([]);
    expect(await sender.send(MESSAGE)).toEqual({ state: 'delivered' });
    const [call] = calls;
    expect(call?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/sns\/aws4_request, /,
    );
    const form = Object.fromEntries(new URLSearchParams(call?.body));
    expect(form).toMatchObject({ Action: 'Publish', TopicArn: topicArn, Message: MESSAGE.body });
    const attributes = [1, 2, 3].map((nth) => [
      form[`MessageAttributes.entry.${nth}.Name`],
      form[`MessageAttributes.entry.${nth}.Value.StringValue`],
    ]);
    expect(Object.fromEntries(attributes)).toEqual({
      ...{ id: 'evt_0a1b', type: 'unit.completed', unit: 'unit-1' },
    });
    expect(form).not.toHaveProperty('MessageGroupId');
  });

  it('keeps the order per unit, and drops what is sent twice, if it is FIFO', async () => {
    const { sender, calls } = await setUpSns([], 'units.fifo');
    await sender.send(MESSAGE);
    const form = Object.fromEntries(new URLSearchParams(calls[0]?.body));
    expect(form).toMatchObject({ MessageGroupId: 'unit-1', MessageDeduplicationId: 'evt_0a1b' });
  });

  it('has failed if it does not answer', async () => {
    const origin = await startOrigin(() => {});
    const topicArn = 'arn:aws:sns:eu-west-1:123456789012:units';
    const options = { endpoint: origin.url, credentials, timeoutMs: 100 };
    const sender = closing(createSnsSender({ topicArn, region: 'eu-west-1' }, options));
    expect(await sender.send(MESSAGE)).toEqual({
      state: 'failed',
      reason: expect.stringContaining('SNS'),
    });
  });

  it('is tried three times while it is throttled', async () => {
    const throttled = { status: 400, body: snsError('Throttling') };
    const { sender, calls } = await setUpSns([throttled, throttled, { status: 200, body: PUBLISHED }]);
    expect(await sender.send(MESSAGE)).toEqual({ state: 'delivered' });
    expect(calls).toHaveLength(3);
  });

  it.each([
    ['failed', 'AuthorizationError', 403],
    ['refused', 'InvalidParameter', 400],
  ] as const)('has %s if it answers %s', async (state, code, status) => {
    const { sender } = await setUpSns([{ status, body: snsError(code) }]);
    expect(await sender.send(MESSAGE)).toEqual({ state, reason: expect.stringContaining('SNS') });
  });
});

async function setUpBus(entries: object[]) {
  const body = JSON.stringify({ FailedEntryCount: 0, Entries: entries });
  const { endpoint, calls } = await startRecordingEndpoint(() => ({ status: 200, body }));
  const bus = 'arn:aws:events:eu-west-1:123456789012:event-bus/units';
  return { bus, sender: closing(createEventBridgeSender(bus, { endpoint, credentials })), calls };
}

describe('an EventBridge bus', () => {
  it('is sent the event as detail, with its type as the type of the detail', async () => {
    const { sender, calls, bus } = await setUpBus([{ EventId: '1' }]);
    expect(await sender.send(MESSAGE)).toEqual({ state: 'delivered' });
    expect(calls[0]?.authorization).toContain('/eu-west-1/events/aws4_request');
    expect(calls[0]?.target).toBe('AWSEvents.PutEvents');
    expect(JSON.parse(calls[0]?.body ?? '')).toEqual({
      Entries: [
        { EventBusName: bus, Source: 'edgepress', DetailType: 'unit.completed', Detail: MESSAGE.body },
      ],
    });
  });

  it('has failed if it answers 200 and takes nothing', async () => {
    const { sender } = await setUpBus([{ ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' }]);
    expect(await sender.send(MESSAGE)).toEqual({
      ...{ state: 'failed', reason: 'EventBridge: ThrottlingException: slow down' },
    });
  });
});
