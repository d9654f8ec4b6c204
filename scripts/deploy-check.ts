import { Command } from 'commander';
import { stackArgument, wholeNumber, wholeNumberWithin } from './cli/options.ts';
import { leastMemoryMb } from './plan/load.ts';
import { LIMITS } from './plan/prices-and-limits.ts';

interface DeployCheckOptions {
  unitsPerHour: number;
  images: number;
  ms: number;
  memory?: number;
}

/** `deploy:check`: checks what a deploy to AWS needs. */
export function deployCheckCommand(): Command {
  return new Command('deploy:check')
    .description('check what a deployment to AWS needs, and say how to fix what is missing')
    .addArgument(stackArgument())
    .option('--units-per-hour <count>', 'data units to ingest', wholeNumber, 100_000)
    .option('--images <count>', 'images per unit', wholeNumber, 5)
    .option(
      '--ms <milliseconds>',
      'CPU time of an image with all of its variants, on one vCPU',
      wholeNumber,
      350,
    )
    .option(
      '--memory <mb>',
      'memory of a worker (default: 1769, or the multiple of it with which one stack can carry the load)',
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .addHelpText(
      'after',
      '\nThe number of workers is calculated as in plan, which shows the details.' +
        '\nNothing is changed. Exit status: 0 when all is right, 2 when something must be fixed, 1 when something could not be checked.',
    )
    .action(checkBeforeDeploy);
}

async function checkBeforeDeploy(stack: string, options: DeployCheckOptions): Promise<void> {
  const { unitsPerHour, images, ms, memory } = options;
  const load = { unitsPerHour, imagesPerUnit: images, msPerImage: ms };
  // Loaded here because the AWS SDK takes longer to load than everything else.
  const { checkDeploy } = await import('./deploy-check/run.ts');
  const demand = { ...load, memoryMb: memory ?? leastMemoryMb(load), maxConcurrency: undefined };
  process.exitCode = await checkDeploy(stack, demand);
}
