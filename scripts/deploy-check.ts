import { Command } from 'commander';
import { DEFAULT_STACK } from './aws/default-stack.ts';
import { wholeNumber, wholeNumberWithin } from './command/number-within.ts';
import { LIMITS } from './plan/limits.ts';
import { memoryFor } from './plan/load.ts';

interface DeployCheckOptions {
  unitsPerHour: number;
  images: number;
  ms: number;
  memory?: number;
}

/** `deploy:check`: says what has to be right before a deploy, and what is. */
export function deployCheckCommand(): Command {
  return new Command('deploy:check')
    .description('say what has to be right before a deploy to AWS, and what to do where it is not')
    .argument('[stack]', 'the name of the stack', DEFAULT_STACK)
    .option('--units-per-hour <count>', 'data units that will be ingested', wholeNumber, 100_000)
    .option('--images <count>', 'images of each', wholeNumber, 5)
    .option('--ms <milliseconds>', 'CPU an image with all of its variants, on one vCPU', wholeNumber, 350)
    .option(
      '--memory <mb>',
      'of a worker (by default 1769, or as many times that as one stack needs)',
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .addHelpText(
      'after',
      '\nHow many workers that takes is worked out as by plan, which says more about it.' +
        '\nNothing is changed. Ends with 0 when all is right, 2 when something must be mended, 1 when something could not be checked.',
    )
    .action(checkHere);
}

async function checkHere(stack: string, options: DeployCheckOptions): Promise<void> {
  const { unitsPerHour, images, ms, memory } = options;
  const load = { unitsPerHour, imagesPerUnit: images, msPerImage: ms };
  // What talks to AWS is loaded only where it is used: it takes longer to load than all the rest.
  const { checkDeploy } = await import('./deploy-check/run.ts');
  const demand = { ...load, memoryMb: memory ?? memoryFor(load), maxConcurrency: undefined };
  process.exitCode = await checkDeploy(stack, demand);
}
