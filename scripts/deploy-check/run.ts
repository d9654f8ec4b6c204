import type { Context } from '../cli/options.ts';
import { checkBootstrap, checkCredentials, checkRegion, checkStack } from './aws-checks.ts';
import { checkContainers } from './containers-check.ts';
import { type Finding, formatFinding, notChecked } from './finding.ts';
import { checkLambda } from './lambda-checks.ts';
import { checkNode, checkOptions } from './local-checks.ts';
import { type AskedLoad, checkWorkers } from './workers-check.ts';

/**
 * Runs every check, and prints each finding.
 *
 * @param stack - by default the one of its options
 * @param context - the options of the stack on the command line
 * @param json - whether a finding is a line of JSON
 * @returns the exit status: 0 when all is right, 2 when something must be changed, 1 when something could not be checked
 */
export async function checkDeploy(
  stack: string | undefined,
  load: AskedLoad,
  context: Context,
  json: boolean,
): Promise<0 | 1 | 2> {
  const findings: Finding[] = [];
  for await (const finding of runChecks(stack, load, context)) {
    findings.push(finding);
    process.stdout.write(`${json ? JSON.stringify(finding) : formatFinding(finding)}\n`);
  }
  const states = findings.map(({ state }) => state);
  if (states.includes('missing')) return 2;
  return states.includes('not checked') ? 1 : 0;
}

async function* runChecks(
  stack: string | undefined,
  load: AskedLoad,
  context: Context,
): AsyncGenerator<Finding, void> {
  yield checkNode();
  const { region, ...regionFinding } = await checkRegion();
  yield regionFinding;
  const { findings, settings } = await checkOptions(context, region);
  yield* findings;
  const workers = settings && checkWorkers(settings, load);
  if (workers) yield workers.finding;
  if (settings) yield* await checkContainers(settings);
  if (region === undefined) return yield notChecked('all else', 'it depends on the region');
  const credentials = await checkCredentials();
  yield credentials;
  if (credentials.account === undefined) return yield notChecked('all else', 'AWS calls need credentials');
  yield await checkBootstrap(credentials.account, region);
  if (settings && workers) yield* await checkLambda(settings, workers);
  else yield notChecked('Lambda', 'it depends on the options');
  const name = stack ?? settings?.stackName;
  if (name !== undefined) yield await checkStack(name);
}
