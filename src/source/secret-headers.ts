import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { EdgepressError } from '../protocol/error.ts';
import { parseSourceHeaderRules, type SourceHeaderRule } from './source-headers.ts';

/** How long the rules of a secret are used before they are read again, so that a rotated one takes effect. */
const MAX_AGE_MS = 5 * 60 * 1000;
/** Viewers wait for it. */
const TIMEOUT_MS = 5_000;

/**
 * Returns a reader of the headers of private sources that are in a secret of Secrets Manager, with the JSON of `parseSourceHeaderRules`. It
 * reads the secret when it is first called, and again after five minutes.
 *
 * @param nowMs - default: `Date.now`
 * @returns a function that throws an EdgepressError `overloaded` if the secret cannot be read: that is no fault of the source
 */
export function createSecretHeadersReader(
  arn: string,
  nowMs: () => number = Date.now,
): () => Promise<readonly SourceHeaderRule[]> {
  const [, , , region = ''] = arn.split(':');
  const client = new SecretsManagerClient({ region });
  let reading: Promise<readonly SourceHeaderRule[]> | undefined;
  let readAtMs = 0;

  async function read(): Promise<readonly SourceHeaderRule[]> {
    try {
      const command = new GetSecretValueCommand({ SecretId: arn });
      const { SecretString } = await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
      return parseSourceHeaderRules(SecretString ?? '');
    } catch (cause) {
      reading = undefined;
      throw new EdgepressError(
        'overloaded',
        'The headers for private sources cannot be read from their secret: try again later',
        { cause, retryable: true, retryAfterSeconds: 10 },
      );
    }
  }

  return () => {
    if (reading && nowMs() - readAtMs < MAX_AGE_MS) return reading;
    readAtMs = nowMs();
    reading = read();
    return reading;
  };
}
