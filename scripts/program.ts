import { styleText } from 'node:util';
import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { casesCommand } from './cases.ts';
import { addExamples } from './cli/examples.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { deployCheckCommand } from './deploy-check.ts';
import { envCommand } from './env.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { planCommand } from './plan.ts';
import { prewarmCommand } from './prewarm.ts';
import { purgeCommand } from './purge.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign.ts';
import { smokeCommand } from './smoke.ts';
import { statusCommand } from './status.ts';
import { unitsCommand } from './units.ts';

/**
 * Creates the command line, with every command. `edgepress.ts` runs it, for the command `edgepress` by way of `edgepress.sh`, and tests run it in their own process.
 *
 * How scripts/ is laid out:
 * - NAME.ts is the command `edgepress NAME` (its arguments, options and help), NAME/ has its parts, and cli/ has what commands share;
 * - bench.ts and bench/ are the benchmarks (`npm run bench`);
 * - docs.ts and docs/ (`npm run docs`) and check/ (`npm run check`) serve the project itself.
 */
export function createProgram(): Command {
  const program = new Command('edgepress')
    .description(packageJson.description)
    .version(packageJson.version)
    .showHelpAfterError()
    .addCommand(serveCommand())
    .addCommand(signCommand())
    .addCommand(prewarmCommand())
    .addCommand(statusCommand())
    .addCommand(unitsCommand())
    .addCommand(purgeCommand())
    .addCommand(migrateCommand())
    .addCommand(configCommand())
    .addCommand(planCommand())
    .addCommand(deployCheckCommand())
    .addCommand(envCommand())
    .addCommand(keysCommand())
    .addCommand(smokeCommand())
    .addCommand(casesCommand())
    .addCommand(completionCommand())
    .addHelpText(
      'after',
      '\nExit status of all commands: 0 all is done; 2 done, but something is broken, refused or not as it should be;' +
        '\n1 it could not do its work: wrong options, wrong environment, a store or a service that fails, Ctrl-C.' +
        '\nThe commands are described in docs/cli.md. In a checkout they are called as: npx edgepress ...',
    );
  addExamples(program, [
    ['edgepress serve', 'the server; without configuration, a demo'],
    ['edgepress sign --unit unit-1 --src https://images.example.com/a.jpg --w 720', 'the URL of an image'],
    ['edgepress prewarm units.jsonl --report report.jsonl', 'makes the variants of many units'],
  ]);
  setUpHelp(program, []);
  return program;
}

/** Says after an error where the help is, and gives help its colours, which commander leaves out where a terminal shows none or NO_COLOR is set. */
function setUpHelp(command: Command, parents: readonly string[]): void {
  const path = [...parents, command.name()];
  command.configureHelp({
    styleTitle: (text) => styleText('bold', text),
    styleCommandText: (text) => styleText('cyan', text),
    styleSubcommandText: (text) => styleText('cyan', text),
    styleOptionText: (text) => styleText('green', text),
  });
  if (parents.length > 0) command.showHelpAfterError(`Its options and examples: ${path.join(' ')} --help`);
  for (const one of command.commands) setUpHelp(one, path);
}
