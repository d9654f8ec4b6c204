import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { CommandFailure } from './command.ts';
import { printable } from './text.ts';

const CONNECTION_TIMEOUT_MS = 3000;
/** How long a connection may be idle during a request. */
const SOCKET_TIMEOUT_MS = 15_000;
/** Few: a person waits for the answer, and can run the command again. */
const MAX_ATTEMPTS = 3;

/** Options for each AWS client of a command. The SDK finds region, credentials and endpoints by itself. */
export function clientOptions() {
  return {
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, (attempt) => 200 * 2 ** (attempt - 1)),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
  };
}

/**
 * Calls AWS, and explains what went wrong.
 *
 * @param permission - the permission that the call needs, such as `cloudformation:DescribeStacks`
 * @throws CommandFailure saying what failed and what to do
 */
export async function callAws<T>(permission: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const { happened, todo } = explainAwsError(error, permission);
    throw new CommandFailure(todo === undefined ? happened : `${happened}: ${todo}.`);
  }
}

/** What failed, and what to change where that is known. */
export interface AwsErrorExplanation {
  happened: string;
  todo?: string;
}

const STALE_CREDENTIALS = /^(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch)/;

/** Explains an error of the SDK to the person who runs the command. */
export function explainAwsError(error: unknown, permission: string): AwsErrorExplanation {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const detail = printable(message);
  if (/^AccessDenied(Exception)?$/.test(name))
    return {
      happened: `AWS refuses ${permission} (${detail})`,
      todo: 'give that permission to the user or role of these credentials',
    };
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return {
      happened: `No AWS credentials were found (${detail})`,
      todo: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (aws sso login)',
    };
  if (/region is missing|region not accepted/i.test(message))
    return { happened: 'The AWS region is missing or invalid', todo: 'set AWS_REGION' };
  if (STALE_CREDENTIALS.test(name))
    return {
      happened: `AWS does not accept the credentials (${detail})`,
      todo: 'log in again, or check AWS_PROFILE',
    };
  return { happened: `AWS failed at ${permission}: ${name}: ${detail}${codeOf(error)}` };
}

/** The message of a failed connection can be empty, and its code says more. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === '' || String((error as Error).message).includes(code) ? '' : ` (${code})`;
}
