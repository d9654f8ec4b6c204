import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { casesCommand } from './cases.ts';
import { CommandFailure } from './command/command-failure.ts';
import { isClosedPipe } from './command/line-output.ts';
import { deployCheckCommand } from './deploy-check.ts';
import { envCommand } from './env.ts';
import { keysCommand } from './keys.ts';
import { planCommand } from './plan.ts';
import { prewarmCommand } from './prewarm.ts';
import { purgeCommand } from './purge.ts';
import { signCommand } from './sign.ts';
import { smokeCommand } from './smoke.ts';
import { statusCommand } from './status.ts';

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

// `| head` stops reading when it has enough: no reason to crash.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommandFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
