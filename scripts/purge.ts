import { Readable } from 'node:stream';
import { Command } from 'commander';
import { isUnit, UNIT_RULE } from '../src/protocol/request.ts';
import { type PurgedUnit, UninvalidatedPurge } from '../src/purge/purge.ts';
import { CommandFailure, messageOf } from './cli/command.ts';
import { addExamples } from './cli/examples.ts';
import { watchForInterrupt } from './cli/interrupt.ts';
import { wholeNumberWithin } from './cli/options.ts';
import { printMessage } from './cli/output.ts';
import { counted, printable } from './cli/text.ts';
import { type NamedUnit, readUnitIds } from './cli/unit-ids.ts';
import { openUnitSession, readEnvironment, type UnitSession } from './cli/unit-session.ts';
import { formatTags } from './purge/format-tags.ts';
import { createGroupReporter } from './purge/group-reporter.ts';
import { createPurgeReporter, type PurgeReporter } from './purge/reporter.ts';
import { MAX_PATIENCE_SECONDS, waitForCdn } from './purge/wait.ts';

interface PurgeOptions {
  group?: string;
  dryRun?: true;
  wait?: true;
  patience: number;
  json?: true;
}

/** CloudFront completes 95 of 100 invalidations by tag within 25 seconds. */
const PATIENCE_SECONDS = 300;

/** Units in one purge: S3 deletes as many objects in one request, and an invalidation takes at least as many tags. */
const BATCH_SIZE = 1000;

/** `purge`: deletes units from the store and invalidates them at the CDN. */
export function purgeCommand(): Command {
  const command = new Command('purge')
    .description('delete units from the store and invalidate them at the CDN')
    .argument('[unit...]', 'unit ids; - reads them from standard input, one per line')
    .option('--group <group>', 'instead of units: all units that were sent with this group')
    .option('--dry-run', 'only print what would be deleted')
    .option('--wait', 'wait until the CDN has completed the invalidations')
    .option(
      '--patience <seconds>',
      'with --wait: give up after this time without another completed invalidation',
      wholeNumberWithin(1, MAX_PATIENCE_SECONDS),
      PATIENCE_SECONDS,
    )
    .option('--json', 'print NDJSON, one line per unit and one per invalidation')
    .addHelpText(
      'after',
      '\nExit status: 2 when lines of standard input are not unit ids, 1 when it could not do its work.' +
        '\nPurging a unit again changes nothing.',
    )
    .action(purge);
  return addExamples(command, [
    ['edgepress purge unit-1 unit-2 --dry-run', 'what would be deleted'],
    ['edgepress purge - --wait < ids.txt', 'the units of a file; ends when the CDN has forgotten them'],
    ['edgepress purge --group client-7', 'everything that a client sent'],
  ]);
}

async function purge(args: readonly string[], options: PurgeOptions): Promise<void> {
  if (args.length > 0 === (options.group !== undefined))
    throw new CommandFailure('Give the units to purge, or --group: one of the two.');
  if (options.group !== undefined) return await purgeGroup(options.group, options);
  const config = readEnvironment();
  const interrupt = watchForInterrupt(printMessage);
  const { signal } = interrupt;
  const fromArguments = !args.includes('-');
  const named = await readUnitIds(args, signal);
  const accepted = fromArguments ? await requireUnits(named) : named;
  const session = await openUnitSession(config, printMessage);
  const reporter = createPurgeReporter({ ...options, listUnits: fromArguments });
  try {
    for await (const batch of inBatches(idsOf(accepted, reporter.addRefused), BATCH_SIZE)) {
      if (signal.aborted) break;
      await purgeBatch(batch, session, reporter, options.dryRun === true);
      await reporter.ready();
    }
    reporter.printTotals();
    if (options.wait) await waitForCdn(session.cdn, reporter.invalidations, options.patience, signal);
    process.exitCode = signal.aborted ? 1 : reporter.exitCode();
  } finally {
    interrupt.stop();
    await reporter.close();
    await session.drain();
    await session.close();
  }
}

/**
 * Purges units, and adds them to the report even if the purge of others, or the CDN, fails.
 *
 * @throws CommandFailure saying what is left, after the totals
 */
async function purgeBatch(
  batch: readonly string[],
  { units }: UnitSession,
  reporter: PurgeReporter,
  dryRun: boolean,
): Promise<void> {
  const purged: PurgedUnit[] = [];
  try {
    reporter.addPurge(await units.purge(batch, { dryRun, onPurged: (unit) => void purged.push(unit) }));
  } catch (error) {
    reporter.addPurge({ units: purged, invalidations: [] }, true);
    reporter.printTotals();
    const again = 'Run it again: purging a unit twice changes nothing.';
    const left = error instanceof UninvalidatedPurge ? copiesLeft(purged) : 'Some units may not be purged.';
    throw new CommandFailure(`${printable(messageOf(error))}\n${left} ${again}`);
  }
}

/** What is left after the CDN has failed to invalidate units that are gone from the store. */
function copiesLeft(units: readonly PurgedUnit[]): string {
  const whose = units.length === 1 ? 'the unit' : `the last ${counted(units.length, 'unit')}`;
  const tags = formatTags(units.map(({ cacheTag }) => cacheTag));
  return `Nothing of this is left in the store, but the CDN may still serve its copies of ${whose}: it failed to invalidate them (${tags}). What follows in the input was not purged.`;
}

async function purgeGroup(group: string, options: PurgeOptions): Promise<void> {
  const [dryRun, json] = [options.dryRun === true, options.json === true];
  if (!isUnit(group)) throw new CommandFailure(`--group: ${JSON.stringify(group)} must be ${UNIT_RULE}`);
  const interrupt = watchForInterrupt(printMessage);
  const { signal } = interrupt;
  const session = await openUnitSession(readEnvironment(), printMessage);
  const reporter = createGroupReporter({ dryRun, json });
  try {
    const purged = await session.units.purgeGroup(group, { dryRun, signal, onProgress: reporter.progress });
    await reporter.end(purged);
    if (options.wait) await waitForCdn(session.cdn, purged.invalidations, options.patience, signal);
    process.exitCode = signal.aborted ? 1 : 0;
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const left =
      error instanceof UninvalidatedPurge
        ? `The store is purged (${reporter.soFar()}), but the CDN may still serve its copies: it failed to invalidate them.`
        : `Not all of the group is purged (so far ${reporter.soFar()}).`;
    throw new CommandFailure(`${printable(messageOf(error))}\n${left} Run it again: it goes on from there.`);
  } finally {
    interrupt.stop();
    await session.drain();
    await session.close();
  }
}

/**
 * Checks every argument before anything is purged.
 *
 * @throws CommandFailure naming each argument that is not a unit id
 */
async function requireUnits(named: AsyncIterable<NamedUnit>): Promise<AsyncIterable<NamedUnit>> {
  const all: NamedUnit[] = [];
  for await (const unit of named) all.push(unit);
  const complaints = all.flatMap((unit) => ('problem' in unit ? [unit.problem] : []));
  if (complaints.length > 0) throw new CommandFailure([...complaints, 'Nothing was purged.'].join('\n'));
  return Readable.from(all);
}

async function* idsOf(
  named: AsyncIterable<NamedUnit>,
  onRefused: (problem: string) => void,
): AsyncGenerator<string, void> {
  for await (const unit of named) {
    if ('problem' in unit) onRefused(unit.problem);
    else yield unit.id;
  }
}

async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
