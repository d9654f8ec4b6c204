import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { casesCommand } from './cases.ts';
import { isClosedPipe, runCommand } from './cli/command.ts';
import { deployCheckCommand } from './deploy-check.ts';
import { envCommand } from './env.ts';
import { keysCommand } from './keys.ts';
import { planCommand } from './plan.ts';
import { prewarmCommand } from './prewarm.ts';
import { purgeCommand } from './purge.ts';
import { signCommand } from './sign.ts';
import { smokeCommand } from './smoke.ts';
import { statusCommand } from './status.ts';

/*
 * The command line. Each command is a file here, with its parts in a folder of the same name; cli/ holds what commands share.
 * bench/ and check/ are no commands of it, but run by other npm scripts.
 */
const program = new Command('edgepress')
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError()
  .addCommand(signCommand())
  .addCommand(prewarmCommand())
  .addCommand(statusCommand())
  .addCommand(purgeCommand())
  .addCommand(planCommand())
  .addCommand(deployCheckCommand())
  .addCommand(envCommand())
  .addCommand(keysCommand())
  .addCommand(smokeCommand())
  .addCommand(casesCommand());

// A reader that has enough, such as `| head`, closes the pipe: that must not crash the command.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
}

await runCommand(program);
