import { Command } from 'commander';
import { CommandFailure } from './cli/command.ts';
import { counted } from './cli/text.ts';
import { readEnvironment } from './cli/unit-session.ts';
import { calculatePlan, type Plan } from './plan/calculate.ts';
import { type Measurement, measure, originalsInFolder, packagedOriginals } from './plan/measure.ts';
import { addPlanOptions, type PlanOptions, toPlanInputs } from './plan/options.ts';
import { loadWarnings } from './plan/quotas.ts';
import { formatPlan, formatPlanJson } from './plan/report.ts';
import { formatSimulation, simulationJson } from './plan/simulate/report.ts';
import { type Simulation, simulate } from './plan/simulate/simulation.ts';

const SMALL_PHOTOGRAPHS_WARNING =
  'The packaged photographs are small: originals from phones take longer. ' +
  'Measure your own with --photos FOLDER, or give the time that the function takes with --ms.';

/** `plan`: what a load needs on AWS, how long it takes, and what it costs, each figure with its formula. */
export function planCommand(): Command {
  const command = new Command('plan').description(
    'calculate what a load needs on AWS, how long it takes and what it costs, each figure with its formula',
  );
  return addPlanOptions(command)
    .addHelpText(
      'after',
      '\nPREWARM_WIDTHS, PREWARM_FORMATS and PREWARM_TIERS set which variants are made of each image.' +
        '\nWithout --ms, the CPU time of an image is measured on this machine: best with --photos and your own originals.' +
        '\n--simulate plays those units instead: queue, workers, S3, views and purges over time, with the limits of AWS.' +
        '\nWorks offline: nothing is sent to AWS.',
    )
    .action(runPlan);
}

async function runPlan(options: PlanOptions, command: Command): Promise<void> {
  if (options.ms !== undefined && options.photos !== undefined)
    throw new CommandFailure('Give --ms or --photos, not both: --photos measures what --ms sets.');
  const config = readEnvironment();
  const measurement = options.ms === undefined ? await measureHere(options, config) : undefined;
  const plan = calculatePlan(toPlanInputs(options, config.prewarm, measurement));
  const isMeasuredWithSmall = measurement !== undefined && options.photos === undefined;
  const warnings = [...(isMeasuredWithSmall ? [SMALL_PHOTOGRAPHS_WARNING] : []), ...loadWarnings(plan)];
  const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli');
  const report = { givenOptions: new Set(given), measurement, warnings };
  const simulation = options.simulate ? simulatePlan(plan, options, measurement) : undefined;
  process.stdout.write(`${options.json ? jsonOf() : textOf()}\n`);

  function jsonOf(): string {
    const parts = simulation && { simulation: simulationJson(plan, simulation) };
    return formatPlanJson(plan, report, parts);
  }
  function textOf(): string {
    return simulation ? formatSimulation(plan, simulation) : formatPlan(plan, report);
  }
}

/** Plays the units of an hour. CPU times that were measured with the user's own photographs stand for those of all. */
function simulatePlan(plan: Plan, options: PlanOptions, measurement: Measurement | undefined): Simulation {
  const isMeasured = measurement !== undefined && options.photos !== undefined;
  const scale = isMeasured ? plan.inputs.msPerImage / measurement.meanCpuMs : 1;
  return simulate(plan, {
    seed: options.seed,
    units: plan.inputs.unitsPerHour,
    enqueuedPerSecond: options.enqueued,
    brokenShare: options.broken / 100,
    earlyViewShare: options.earlyViews / 100,
    ...(isMeasured && { measuredMs: measurement.photographs.map(({ cpuMs }) => cpuMs * scale) }),
  });
}

async function measureHere(
  { photos }: PlanOptions,
  config: Parameters<typeof measure>[1],
): Promise<Measurement> {
  const print = (line: string) => void process.stderr.write(`${line}\n`);
  const originals = photos === undefined ? await packagedOriginals() : await originalsInFolder(photos);
  print(`Measuring ${counted(originals.length, 'photograph')}…`);
  return await measure(originals, config, (name, error) => print(`Skipping ${name}: ${error.message}`));
}
