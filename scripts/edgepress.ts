import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { casesCommand } from './cases.ts';
import { CommandFailure } from './command-failure.ts';
import { signCommand } from './sign.ts';

const program = new Command('edgepress')
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError()
  .addCommand(signCommand())
  .addCommand(casesCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommandFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
