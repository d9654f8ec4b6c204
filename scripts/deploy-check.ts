import { Command } from 'commander';
import { DEFAULT_STACK } from './aws/default-stack.ts';
import { wholeNumber } from './command/number-within.ts';
import type { Load } from './deploy-check/load.ts';

interface DeployCheckOptions extends Load {
  stack: string;
}

/** `deploy-check`: says what has to be right before a deploy, and what is. */
export function deployCheckCommand(): Command {
  return new Command('deploy-check')
    .description('say what has to be right before a deploy to AWS, and what to do where it is not')
    .option('--stack <name>', 'the name of the stack', DEFAULT_STACK)
    .option('--units-per-hour <count>', 'data units that will be ingested', wholeNumber, 100_000)
    .option('--images <count>', 'images of each', wholeNumber, 5)
    .option('--ms <milliseconds>', 'for which one image occupies a Lambda', wholeNumber, 350)
    .addHelpText(
      'after',
      '\nNothing is changed. Ends with 0 when all is right, 2 when something must be mended, 1 when something could not be checked.',
    )
    .action(async ({ stack, ...load }: DeployCheckOptions) => {
      // What talks to AWS is loaded only where it is used: it takes longer to load than all the rest.
      const { checkDeploy } = await import('./deploy-check/run.ts');
      process.exitCode = await checkDeploy(stack, load);
    });
}
