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
    .description('say what has to be right before a deploy to AWS, and what to do where it is not')
    .addArgument(stackArgument())
    .option('--units-per-hour <count>', 'data units that will be ingested', wholeNumber, 100_000)
    .option('--images <count>', 'images in each', wholeNumber, 5)
    .option(
      '--ms <milliseconds>',
      'CPU time of an image with all of its variants, on one vCPU',
      wholeNumber,
      350,
    )
    .option(
      '--memory <mb>',
      'memory of a worker (by default 1769, or the multiple of it that one stack needs)',
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .addHelpText(
      'after',
      '\nThe number of workers is calculated as by plan, which says more about it.' +
        '\nNothing is changed. Ends with 0 when all is right, 2 when something must be mended, 1 when something could not be checked.',
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
