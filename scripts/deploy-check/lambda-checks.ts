import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Settings } from '../../infra/settings.ts';
import { clientOptions } from '../cli/aws.ts';
import { formatCount } from '../cli/text.ts';
import { formatNumber } from '../plan/figure.ts';
import { LIMITS } from '../plan/limits.ts';
import { quotaToRequest } from '../plan/quotas.ts';
import { checkAllowed } from './aws-checks.ts';
import type { Finding } from './finding.ts';
import type { WorkersCheck } from './workers-check.ts';

/** The quota of Lambda's concurrent executions in a region. */
const CONCURRENCY_QUOTA = '--service-code lambda --quota-code L-B99A9384';
/** The most memory of a function in many new accounts. No API tells it; a deployment with more fails. */
const NEW_ACCOUNT_MEMORY_MB = 3008;
/** The least maximum concurrency of an event source. */
const LEAST_WORKERS = 2;

/** Checks that the account lets the functions of the stack run, as they are set and beside each other. */
export async function checkLambda(settings: Settings, workers: WorkersCheck): Promise<readonly Finding[]> {
  let limit: number | undefined;
  const concurrency = await checkAllowed('Lambda concurrency', 'lambda:GetAccountSettings', async () => {
    limit = await readConcurrency();
    return checkConcurrency(limit, settings, workers);
  });
  return limit === undefined ? [concurrency] : [concurrency, checkMemory(limit, settings)];
}

/** Returns the concurrent executions that the functions of the account may have together, here. */
async function readConcurrency(): Promise<number> {
  const client = new LambdaClient(clientOptions());
  try {
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
    if (AccountLimit?.ConcurrentExecutions === undefined) throw new Error('the response has no limit');
    return AccountLimit.ConcurrentExecutions;
  } finally {
    client.destroy();
  }
}

function checkConcurrency(limit: number, settings: Settings, workers: WorkersCheck): Finding {
  const what = 'Lambda concurrency';
  const { executions, imagesPerSecond } = workers;
  const reserved = (settings.imageReservedConcurrency ?? 0) + (settings.workerReservedConcurrency ?? 0);
  const found = `${formatCount(limit)} for all functions of the account here, ${formatCount(executions.value)} needed: ${executions.arithmetic}`;
  if (reserved > 0 && reserved > limit - LIMITS.executionsForOthers)
    return {
      state: 'missing',
      what,
      found: `${formatCount(limit)} for all functions of the account here, of which ${LIMITS.executionsForOthers} cannot be reserved, and the options reserve ${formatCount(reserved)}: the deployment fails`,
      todo: `leave out imageReservedConcurrency and workerReservedConcurrency, or ${askFor(reserved + LIMITS.executionsForOthers)}`,
    };
  if (executions.value <= limit) return { state: 'ok', what, found };
  // Half of what a small account has is left to viewers.
  const fitting = Math.max(LEAST_WORKERS, limit - LIMITS.executionsForOthers, Math.floor(limit / 2));
  const own = settings.workerMaxConcurrency;
  const isOwnEnough = executions.value <= own + LIMITS.executionsForOthers;
  if (isOwnEnough && own <= fitting)
    return {
      state: 'ok',
      what,
      found: `${formatCount(limit)} for all functions of the account here: ${formatCount(own)} workers leave viewers ${formatCount(limit - own)}`,
      todo: `for more: ${askFor(executions.value)}`,
    };
  return {
    state: 'missing',
    what,
    found,
    todo: `${askFor(executions.value)}; until it is granted, deploy with "workerMaxConcurrency": ${fitting}, which make ${formatNumber(imagesPerSecond(fitting))} images a second and leave viewers the rest`,
  };
}

/** AWS raises a new account to the default before it takes requests for more. */
function askFor(executions: number): string {
  const value = Math.max(LIMITS.concurrentExecutions, quotaToRequest(executions));
  return `aws service-quotas request-service-quota-increase ${CONCURRENCY_QUOTA} --desired-value ${value}`;
}

function checkMemory(limit: number, { imageMemoryMb, workerMemoryMb }: Settings): Finding {
  const what = 'Lambda memory';
  const found = `${formatCount(imageMemoryMb)} MB for the image function, ${formatCount(workerMemoryMb)} MB for the worker`;
  const isNewAccount = limit < LIMITS.concurrentExecutions;
  if (!isNewAccount || Math.max(imageMemoryMb, workerMemoryMb) <= NEW_ACCOUNT_MEMORY_MB)
    return { state: 'ok', what, found };
  return {
    state: 'not checked',
    what,
    found: `${found}: accounts with so little concurrency often have ${formatCount(NEW_ACCOUNT_MEMORY_MB)} MB at most, which no API tells`,
    todo: `set imageMemoryMb and workerMemoryMb to ${NEW_ACCOUNT_MEMORY_MB} or less, or ask AWS Support for more: otherwise the deployment may fail at MemorySize`,
  };
}
