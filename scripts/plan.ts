import { Command } from 'commander';
import { counted } from './command/amounts.ts';
import { CommandFailure } from './command/command-failure.ts';
import { readEnvironment } from './command/environment.ts';
import { type Measurement, measure, originalsOf, packagedOriginals } from './plan/measure.ts';
import { addPlanOptions, type PlanOptions, toGiven } from './plan/options.ts';
import { plan } from './plan/plan.ts';
import { describePlan } from './plan/plan-text.ts';
import { PRICES } from './plan/prices.ts';
import { warningsOf } from './plan/warnings.ts';

/** `plan`: what a load needs on AWS, how long it takes, and what it costs; each figure with its arithmetic. */
export function planCommand(): Command {
  const command = new Command('plan').description(
    'say what a load needs on AWS, how long it takes and what it costs, each figure with its arithmetic',
  );
  return addPlanOptions(command)
    .addHelpText(
      'after',
      '\nWhat is made of each image stands in PREWARM_WIDTHS, PREWARM_FORMATS and PREWARM_TIERS.' +
        '\nWithout --ms it measures what an image takes, here and now: best with --photos and originals of your own.' +
        '\nAsks nobody: nothing is sent to AWS.',
    )
    .action(runPlan);
}

async function runPlan(options: PlanOptions, command: Command): Promise<void> {
  if (options.ms !== undefined && options.photos !== undefined)
    throw new CommandFailure('Give --ms or --photos, not both: one says what the other measures.');
  const config = readEnvironment();
  const measurement = options.ms === undefined ? await measureHere(options, config) : undefined;
  const made = plan(toGiven(options, config.prewarm, measurement));
  const warnings = warningsOf(made, measurement !== undefined && options.photos === undefined);
  const said = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli');
  const text = options.json
    ? JSON.stringify({ ...made, measurement, warnings, prices: PRICES }, undefined, 2)
    : describePlan(made, { options: new Set(said), measurement }, warnings);
  process.stdout.write(`${text}\n`);
}

async function measureHere(
  { photos }: PlanOptions,
  config: Parameters<typeof measure>[1],
): Promise<Measurement> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const originals = photos === undefined ? await packagedOriginals() : await originalsOf(photos);
  say(`Measuring ${counted(originals.length, 'photograph')}…`);
  return await measure(originals, config, say);
}
