import { Command } from 'commander';
import { regionFault } from '../infra/regions.ts';
import { CommandFailure } from './cli/command.ts';
import { addExamples } from './cli/examples.ts';
import { readStackOptions } from './cli/stack-options.ts';
import { counted, printable } from './cli/text.ts';
import { calculatePlan, type Plan } from './plan/calculate.ts';
import { type Measurement, measure, originalsInFolder } from './plan/measure.ts';
import { addPlanOptions, type PlanOptions } from './plan/options.ts';
import { planWarnings } from './plan/plan-warnings.ts';
import { PRICED_REGIONS } from './plan/prices.ts';
import { formatPlan, formatPlanJson } from './plan/report.ts';
import { formatSimulation, simulationJson } from './plan/simulate/report.ts';
import { type Simulation, simulate } from './plan/simulate/simulation.ts';
import { toPlanInputs } from './plan/stack-inputs.ts';

/** `plan`: what a load needs on AWS, how long it takes, and what it costs, each figure with its formula. */
export function planCommand(): Command {
  const command = new Command('plan').description(
    'calculate what a load needs on AWS, how long it takes and what it costs, each figure with its formula',
  );
  addPlanOptions(command)
    .addHelpText(
      'after',
      '\nEffort, variants, memory, workers and containers are those of the stack: cdk.json, and -c. Without a load, the plan is for as many units' +
        '\nas these workers make. The CPU time of an image is assumed as deploy:check does: measure it with --photos and your own originals.' +
        '\n--simulate plays those units instead: queue, workers, S3, views and purges over time, with the limits of AWS.' +
        '\nWorks offline: nothing is sent to AWS.',
    )
    .action(runPlan);
  return addExamples(command, [
    ['edgepress plan --units-per-hour 100000 --ms 900', 'the units of an hour, an image taking 900 ms'],
    [
      'edgepress plan --units-per-hour 100000 --photos originals --json',
      'the time measured with your originals',
    ],
    ['edgepress plan --units-per-hour 1000000 --ms 900 --simulate', 'played second by second'],
  ]);
}

async function runPlan(options: PlanOptions, command: Command): Promise<void> {
  if (options.ms !== undefined && options.photos !== undefined)
    throw new CommandFailure('Give --ms or --photos, not both: --photos measures what --ms sets.');
  const { region } = options;
  if (region !== undefined) requirePriced(region);
  const { settings, faults } = await readStackOptions(options.context ?? {}, region);
  if (faults) throw new CommandFailure(['The options of the stack are invalid:', ...faults].join('\n  '));
  const measurement =
    options.photos === undefined ? undefined : await measureHere(options.photos, settings.config);
  const inputs = toPlanInputs(options, settings, { ...(region && { region }), measurement });
  if (options.simulate && inputs.containers)
    throw new CommandFailure('--simulate plays workers on Lambda only: leave out fargateMaxTasks.');
  const plan = calculatePlan(inputs);
  const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli');
  const report = { givenOptions: new Set(given), measurement, warnings: planWarnings(plan, settings) };
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

/** Those with prices are all that the stack can be in. Why it cannot be in another real one, the options of the stack say. */
function requirePriced(region: string): void {
  if (PRICED_REGIONS.includes(region) || regionFault(region)) return;
  throw new CommandFailure(
    `No prices of the region ${printable(region)} are known (--region or AWS_REGION): it must be one of ${PRICED_REGIONS.join(', ')}.`,
  );
}

/** Plays the units of an hour. CPU times that were measured with the user's own photographs stand for those of all. */
function simulatePlan(plan: Plan, options: PlanOptions, measurement: Measurement | undefined): Simulation {
  const scale = measurement ? plan.inputs.msPerImage / measurement.meanCpuMs : 1;
  return simulate(plan, {
    seed: options.seed,
    units: plan.inputs.unitsPerHour,
    enqueuedPerSecond: options.enqueued,
    brokenShare: options.broken / 100,
    earlyViewShare: plan.inputs.earlyViewShare,
    ...(measurement && { measuredMs: measurement.photographs.map(({ cpuMs }) => cpuMs * scale) }),
  });
}

async function measureHere(folder: string, config: Parameters<typeof measure>[1]): Promise<Measurement> {
  const print = (line: string) => void process.stderr.write(`${line}\n`);
  const originals = await originalsInFolder(folder);
  print(`Measuring ${counted(originals.length, 'photograph')}…`);
  return await measure(originals, config, (name, error) => print(`Skipping ${name}: ${error.message}`));
}
