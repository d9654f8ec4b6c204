import type { Demand } from '../plan/load.ts';
import { checkBootstrap, checkConcurrency, checkCredentials, checkRegion, checkStack } from './aws-checks.ts';
import { describeFinding, type Finding } from './finding.ts';
import { checkNode } from './local-checks.ts';
import { checkWorkers } from './workers.ts';

/**
 * Looks at all that has to be right before a deploy, and prints what it finds.
 *
 * @returns the status to end with: 0 when all is right, 2 when something must be mended, 1 when something could not be checked
 */
export async function checkDeploy(stack: string, demand: Demand): Promise<0 | 1 | 2> {
  const findings: Finding[] = [];
  for await (const finding of findAll(stack, demand)) {
    findings.push(finding);
    process.stdout.write(`${describeFinding(finding)}\n`);
  }
  const states = findings.map(({ state }) => state);
  if (states.includes('missing')) return 2;
  return states.includes('not checked') ? 1 : 0;
}

async function* findAll(stack: string, demand: Demand): AsyncGenerator<Finding, void> {
  yield checkNode();
  const { workers, ...enough } = checkWorkers(demand);
  yield enough;
  const where = await checkRegion();
  yield where;
  if (where.region === undefined) return yield notChecked('all else', 'it takes a region to ask AWS');
  const who = await checkCredentials();
  yield who;
  if (who.account === undefined) return yield notChecked('all else', 'it takes credentials to ask AWS');
  const rest = [checkBootstrap(who.account, where.region), checkConcurrency(workers), checkStack(stack)];
  for (const finding of rest) yield await finding;
}

function notChecked(what: string, found: string): Finding {
  return { state: 'not checked', what, found };
}
