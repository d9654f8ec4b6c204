import { createHmac } from 'node:crypto';
import { SECRET_ARN } from '../source/source-headers.ts';

/** Secrets that webhooks are signed with. Each signs, so that a receiver may still know only the last one while it is rotated. */
export type WebhookSecrets = readonly Buffer[];

/** The secrets, or the secret of Secrets Manager that contains them. */
export type WebhookSecretsSource =
  | { kind: 'values'; secrets: WebhookSecrets }
  | { kind: 'secret'; arn: string };

const SERIALIZED = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
/** Standard Webhooks 1.0.0, "Signature scheme": 192 to 512 bits. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/**
 * Parses secrets in the form of Standard Webhooks, separated by commas: each is `whsec_` and base64 of 24 to 64 bytes. Or the ARN of a secret.
 *
 * @throws Error that does not repeat a secret
 */
export function parseWebhookSecrets(text: string): WebhookSecretsSource {
  if (SECRET_ARN.test(text)) return { kind: 'secret', arn: text };
  return { kind: 'values', secrets: text.split(',').map((item) => parseSecret(item.trim())) };
}

function parseSecret(text: string): Buffer {
  const base64 = SERIALIZED.exec(text)?.[1];
  const secret = Buffer.from(base64 ?? '', 'base64');
  if (base64 === undefined || secret.length < MIN_BYTES || secret.length > MAX_BYTES)
    throw new Error(`each secret must be whsec_ and base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes`);
  return secret;
}

/**
 * Returns the headers that let a receiver verify a webhook (Standard Webhooks 1.0.0, "Webhook headers"): over id, time of this attempt and
 * body.
 *
 * @param nowMs - when it is sent, in Unix milliseconds
 */
export function signWebhook(
  { id, body }: { id: string; body: string },
  secrets: WebhookSecrets,
  nowMs: number,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const content = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(content).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
