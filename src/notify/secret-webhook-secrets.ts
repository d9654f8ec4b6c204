import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parseWebhookSecrets, type WebhookSecrets } from './webhook-secrets.ts';

/** How long secrets are used before they are read again, so that rotated ones take effect. */
const MAX_AGE_MS = 5 * 60 * 1000;
const TIMEOUT_MS = 5_000;

/**
 * Returns a reader of webhook secrets that are in a secret of Secrets Manager, as text like that of `NOTIFY_SECRET`. It reads the secret when
 * it is first called, and again after five minutes.
 *
 * @returns a function that throws an Error if the secret cannot be read
 */
export function createSecretReader(arn: string): () => Promise<WebhookSecrets> {
  const [, , , region = ''] = arn.split(':');
  const client = new SecretsManagerClient({ region });
  let reading: Promise<WebhookSecrets> | undefined;
  let readAtMs = 0;

  async function read(): Promise<WebhookSecrets> {
    try {
      const command = new GetSecretValueCommand({ SecretId: arn });
      const { SecretString } = await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
      const parsed = parseWebhookSecrets(SecretString ?? '');
      if (parsed.kind !== 'values') throw new Error('it is the ARN of another secret');
      return parsed.secrets;
    } catch (cause) {
      reading = undefined;
      throw new Error(`NOTIFY_SECRET cannot be read: ${(cause as Error).message}`, { cause });
    }
  }

  return () => {
    if (reading && Date.now() - readAtMs < MAX_AGE_MS) return reading;
    readAtMs = Date.now();
    reading = read();
    return reading;
  };
}
