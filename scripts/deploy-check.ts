import { Command } from 'commander';
import { addExamples } from './cli/examples.ts';
import { addContextEntry, type Context, wholeNumber, wholeNumberWithin } from './cli/options.ts';
import { LIMITS } from './plan/limits.ts';

interface DeployCheckOptions {
  unitsPerHour?: number;
  images: number;
  ms?: number;
  memory?: number;
  context?: Context;
  json?: true;
}

/** `deploy:check`: checks what a deploy to AWS needs. */
export function deployCheckCommand(): Command {
  const command = new Command('deploy:check')
    .description('check what a deployment to AWS needs, and say how to fix what is missing')
    .argument('[stack]', 'the name of the stack (default: stackName of its options)')
    .option(
      '--units-per-hour <count>',
      "data units to ingest (default: as many as the workers of the stack's options can)",
      wholeNumber,
    )
    .option('--images <count>', 'images per unit', wholeNumber, 5)
    .option(
      '--ms <milliseconds>',
      "CPU time of an image with all of its variants, on one vCPU (default: assumed for the effort and the variants of the stack's options)",
      wholeNumber,
    )
    .option(
      '--memory <mb>',
      'memory of a worker for that load (default: 1769, or the multiple of it with which one stack can carry the load)',
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .option(
      '-c, --context <name=value>',
      'an option of the stack beside those of cdk.json, as for cdk deploy; may be repeated',
      addContextEntry,
    )
    .option('--json', 'print NDJSON, one line per finding')
    .addHelpText(
      'after',
      '\nThe number of workers is calculated as in plan, which shows the details.' +
        '\nNothing is changed. Exit status: 0 when all is right, 2 when something must be fixed, 1 when something could not be checked.',
    )
    .action(checkBeforeDeploy);
  return addExamples(command, [
    ['edgepress deploy:check', 'the options of cdk.json, in the account and region of the environment'],
    [
      'AWS_REGION=eu-central-1 edgepress deploy:check -c edgepress.stackName=Edgepress-EU --units-per-hour 100000',
      'another stack, in another region, with a load',
    ],
  ]);
}

async function checkBeforeDeploy(
  stack: string | undefined,
  { context = {}, json, ...load }: DeployCheckOptions,
): Promise<void> {
  // Loaded here because the AWS SDK and CDK take longer to load than everything else.
  const { checkDeploy } = await import('./deploy-check/run.ts');
  process.exitCode = await checkDeploy(stack, load, context, json === true);
}
