import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { casesCommand } from './cases.ts';
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
 * - configuration-docs.ts (`npm run docs`) and check/ (`npm run check`) serve the project itself.
 */
export function createProgram(): Command {
  return new Command('edgepress')
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
    .addCommand(casesCommand());
}
