import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { configuredRegion } from '../aws-region.ts';
import { backoffDelay, withJitter } from '../backoff.ts';
import type { Sender, SendResult } from './sender.ts';

export interface AwsSenderOptions {
  /** Another server than Amazon's, as `http://host:port`. */
  endpoint?: string | undefined;
  /** Default: what the SDK finds. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  /** Of a message with all its attempts, in milliseconds. Default: 15,000. */
  timeoutMs?: number;
}

const CONCURRENCY = 16;
const CONNECTION_TIMEOUT_MS = 1000;
const SOCKET_TIMEOUT_MS = 5000;
const TIMEOUT_MS = 15_000;
/** The first attempt included. What still fails then is sent again later. */
const MAX_ATTEMPTS = 3;
const FIRST_RETRY_DELAY_MS = 100;
/** What EventBridge calls the program that an event is from. */
const SOURCE = 'edgepress';
/** Answers that say that this message is wrong. */
const REFUSED = new Set([
  'InvalidParameterException',
  'InvalidParameterValueException',
  'ValidationException',
]);

function clientOptions({ endpoint, credentials }: AwsSenderOptions) {
  return {
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, (attempt) =>
      withJitter(backoffDelay(FIRST_RETRY_DELAY_MS, attempt)),
    ),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

/**
 * Publishes events to an SNS topic. The id and the type are message attributes, so that subscriptions can filter. A FIFO topic keeps the
 * order per unit, and drops what is sent twice within five minutes.
 */
export function createSnsSender(
  { topicArn, region }: { topicArn: string; region: string },
  options: AwsSenderOptions = {},
): Sender {
  const { timeoutMs = TIMEOUT_MS } = options;
  const client = new SNSClient({ region, ...clientOptions(options) });
  return {
    concurrency: CONCURRENCY,
    send: ({ id, type, unit, body }) =>
      deliver('SNS', timeoutMs, async (abortSignal) => {
        const attribute = (value: string) => ({ DataType: 'String', StringValue: value });
        await client.send(
          new PublishCommand({
            TopicArn: topicArn,
            Message: body,
            MessageAttributes: { id: attribute(id), type: attribute(type), unit: attribute(unit) },
            ...(topicArn.endsWith('.fifo') && { MessageGroupId: unit, MessageDeduplicationId: id }),
          }),
          { abortSignal },
        );
        return undefined;
      }),
    close: async () => client.destroy(),
  };
}

/** Puts events on an EventBridge bus: source `edgepress`, detail type `unit.completed` or `unit.failed`, the event as detail. */
export function createEventBridgeSender(bus: string, options: AwsSenderOptions = {}): Sender {
  const { timeoutMs = TIMEOUT_MS } = options;
  const region = /^arn:[^:]*:events:([^:]+):/.exec(bus)?.[1];
  const client = new EventBridgeClient({
    ...clientOptions(options),
    ...(region !== undefined && { region }),
    ...(region === undefined &&
      options.endpoint !== undefined && { region: configuredRegion(() => new EventBridgeClient({})) }),
  });
  return {
    concurrency: CONCURRENCY,
    send: ({ type, body }) =>
      deliver('EventBridge', timeoutMs, async (abortSignal) => {
        const { Entries } = await client.send(
          new PutEventsCommand({
            Entries: [{ EventBusName: bus, Source: SOURCE, DetailType: type, Detail: body }],
          }),
          { abortSignal },
        );
        // It answers 200 even if it takes none.
        const { ErrorCode, ErrorMessage } = Entries?.[0] ?? {};
        return ErrorCode === undefined ? undefined : { name: ErrorCode, message: ErrorMessage ?? '' };
      }),
    close: async () => client.destroy(),
  };
}

/** @param call - returns the error that is in an answer */
async function deliver(
  service: string,
  timeoutMs: number,
  call: (signal: AbortSignal) => Promise<{ name: string; message: string } | undefined>,
): Promise<SendResult> {
  const error = await call(AbortSignal.timeout(timeoutMs)).catch((thrown: unknown) =>
    thrown instanceof Error ? thrown : new Error(String(thrown)),
  );
  if (error === undefined) return { state: 'delivered' };
  const reason = `${service}: ${error.name}: ${error.message}`;
  return REFUSED.has(error.name) ? { state: 'refused', reason } : { state: 'failed', reason };
}
