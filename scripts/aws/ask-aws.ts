import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import '../command/quiet-sdk.ts';
import { printable } from '../command/amounts.ts';
import { CommandFailure } from '../command/command-failure.ts';

const CONNECTION_TIMEOUT_MS = 3000;
/** How long nothing may move. */
const SILENCE_TIMEOUT_MS = 15_000;
/** A person waits in front of it, and can ask again. */
const MAX_ATTEMPTS = 3;

/** What each client of an operator's command is made with. Region, credentials and endpoints are what the SDK finds by itself. */
export function clientOptions() {
  return {
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, (attempt) => 200 * 2 ** (attempt - 1)),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
  };
}

/**
 * Asks AWS for something.
 *
 * @param permission - what it takes, such as `cloudformation:DescribeStacks`
 * @throws CommandFailure that says in words what was wrong
 */
export async function askAws<T>(permission: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const { happened, todo } = explainAws(error, permission);
    throw new CommandFailure(todo === undefined ? happened : `${happened}: ${todo}.`);
  }
}

/** Whether it is AWS, and not the way there, that says no to who asks. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && /^AccessDenied(Exception)?$/.test(error.name);
}

/** What went wrong with a question, and what to change, where that is known. */
export interface AwsFault {
  happened: string;
  todo?: string;
}

const STALE_CREDENTIALS = /^(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch)/;

/** For whoever runs the command. */
export function explainAws(error: unknown, permission: string): AwsFault {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const said = printable(message);
  if (isDenied(error))
    return {
      happened: `AWS refuses ${permission} (${said})`,
      todo: 'whoever this signs as needs that permission',
    };
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return {
      happened: `There are no AWS credentials (${said})`,
      todo: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (aws sso login)',
    };
  if (/region is missing|region not accepted/i.test(message))
    return { happened: 'There is no AWS region, or it is none', todo: 'set AWS_REGION' };
  if (STALE_CREDENTIALS.test(name))
    return {
      happened: `AWS does not accept the credentials (${said})`,
      todo: 'log in again, or look at AWS_PROFILE',
    };
  return { happened: `AWS failed at ${permission}: ${name}: ${said}${codeOf(error)}` };
}

/** Where the message of a connection that failed is empty, its code tells more. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === '' || String((error as Error).message).includes(code) ? '' : ` (${code})`;
}
