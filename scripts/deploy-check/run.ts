import type { WorkerDemand } from '../plan/load.ts';
import { checkBootstrap, checkConcurrency, checkCredentials, checkRegion, checkStack } from './aws-checks.ts';
import { checkNode, checkWorkers, type Finding, formatFinding } from './local-checks.ts';

/**
 * Runs every check, and prints each finding.
 *
 * @returns the exit status: 0 when all is right, 2 when something must be changed, 1 when something could not be checked
 */
export async function checkDeploy(stack: string, demand: WorkerDemand): Promise<0 | 1 | 2> {
  const findings: Finding[] = [];
  for await (const finding of runChecks(stack, demand)) {
    findings.push(finding);
    process.stdout.write(`${formatFinding(finding)}\n`);
  }
  const states = findings.map(({ state }) => state);
  if (states.includes('missing')) return 2;
  return states.includes('not checked') ? 1 : 0;
}

async function* runChecks(stack: string, demand: WorkerDemand): AsyncGenerator<Finding, void> {
  yield checkNode();
  const { workers, ...capacity } = checkWorkers(demand);
  yield capacity;
  const region = await checkRegion();
  yield region;
  if (region.region === undefined) return yield notChecked('all else', 'it depends on the region');
  const credentials = await checkCredentials();
  yield credentials;
  if (credentials.account === undefined) return yield notChecked('all else', 'AWS calls need credentials');
  const rest = [
    checkBootstrap(credentials.account, region.region),
    checkConcurrency(workers),
    checkStack(stack),
  ];
  for (const finding of rest) yield await finding;
}

function notChecked(what: string, found: string): Finding {
  return { state: 'not checked', what, found };
}
