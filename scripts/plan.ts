import { Command } from 'commander';
import { CommandFailure } from './cli/command.ts';
import { counted } from './cli/text.ts';
import { readEnvironment } from './cli/unit-session.ts';
import { calculatePlan } from './plan/calculate.ts';
import { type Measurement, measure, originalsInFolder, packagedOriginals } from './plan/measure.ts';
import { addPlanOptions, type PlanOptions, toPlanInputs } from './plan/options.ts';
import { loadWarnings } from './plan/quotas.ts';
import { formatPlan, formatPlanJson } from './plan/report.ts';

const SMALL_PHOTOGRAPHS_WARNING =
  'The photographs that come with the packages are small: originals of phones take longer. ' +
  'Measure your own with --photos FOLDER, or say with --ms what the function takes.';

/** `plan`: what a load needs on AWS, how long it takes, and what it costs, each figure with its formula. */
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
  const plan = calculatePlan(toPlanInputs(options, config.prewarm, measurement));
  const isMeasuredWithSmall = measurement !== undefined && options.photos === undefined;
  const warnings = [...(isMeasuredWithSmall ? [SMALL_PHOTOGRAPHS_WARNING] : []), ...loadWarnings(plan)];
  const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli');
  const report = { givenOptions: new Set(given), measurement, warnings };
  const text = options.json ? formatPlanJson(plan, report) : formatPlan(plan, report);
  process.stdout.write(`${text}\n`);
}

async function measureHere(
  { photos }: PlanOptions,
  config: Parameters<typeof measure>[1],
): Promise<Measurement> {
  const print = (line: string) => void process.stderr.write(`${line}\n`);
  const originals = photos === undefined ? await packagedOriginals() : await originalsInFolder(photos);
  print(`Measuring ${counted(originals.length, 'photograph')}…`);
  return await measure(originals, config, (name, error) => print(`${name} is left out: ${error.message}`));
}
