import { Readable } from 'node:stream';
import { Command } from 'commander';
import type { Invalidation } from '../src/cdn/cdn.ts';
import { printable } from './command/amounts.ts';
import { CommandFailure } from './command/command-failure.ts';
import { readEnvironment } from './command/environment.ts';
import { watchForInterruption } from './command/interruption.ts';
import { type NamedUnit, readUnitIds } from './command/unit-ids.ts';
import { openUnitSession, type UnitSession } from './command/unit-session.ts';
import { createPurgeAccount } from './purge-account.ts';

interface PurgeOptions {
  dryRun?: true;
  wait?: true;
  json?: true;
}

/** Units purged in one go: one request deletes as many objects, and one invalidation takes as many tags and more. */
const BATCH_SIZE = 1000;

/** `purge`: makes units disappear, from the store and from the CDN. */
export function purgeCommand(): Command {
  return new Command('purge')
    .description('make units disappear, from the store and from the CDN')
    .argument('<unit...>', 'the ids; - reads them from standard input, one a line')
    .option('--dry-run', 'only say what would go')
    .option('--wait', 'until the CDN has forgotten them')
    .option('--json', 'print NDJSON, a line a unit and a line an invalidation')
    .addHelpText(
      'after',
      '\nEnds with 2 when lines of standard input are no unit, with 1 when it could not do its work.' +
        '\nPurging a unit that is gone changes nothing.',
    )
    .action(purge);
}

async function purge(names: readonly string[], options: PurgeOptions): Promise<void> {
  const config = readEnvironment();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const interruption = watchForInterruption(say);
  const { signal } = interruption;
  const isNamed = !names.includes('-');
  const named = await readUnitIds(names, signal);
  const checked = isNamed ? await checkAll(named) : named;
  const session = await openUnitSession(config, say);
  const account = createPurgeAccount({ ...options, isNamed, say });
  try {
    for await (const batch of inBatches(idsOf(checked, account.refuse), BATCH_SIZE)) {
      if (signal.aborted) break;
      account.add(await session.units.purge(batch, { dryRun: options.dryRun === true }));
      await account.room();
    }
    account.sum();
    if (options.wait) await waitForCdn(session, account.invalidations, say);
    process.exitCode = signal.aborted ? 1 : account.exitCode();
  } catch (error) {
    account.sum();
    const what = printable(error instanceof Error ? error.message : String(error));
    throw new CommandFailure(`${what}\nSome units may be left. Purging again what is gone changes nothing.`);
  } finally {
    interruption.ignore();
    await session.finish();
    await session.close();
  }
}

/** Of what the user names, all must be units before any of it is purged. */
async function checkAll(named: AsyncIterable<NamedUnit>): Promise<AsyncIterable<NamedUnit>> {
  const all: NamedUnit[] = [];
  for await (const unit of named) all.push(unit);
  const complaints = all.flatMap((unit) => ('complaint' in unit ? [unit.complaint] : []));
  if (complaints.length > 0) throw new CommandFailure([...complaints, 'Nothing was purged.'].join('\n'));
  return Readable.from(all);
}

async function* idsOf(
  named: AsyncIterable<NamedUnit>,
  refuse: (complaint: string) => void,
): AsyncGenerator<string, void> {
  for await (const unit of named) {
    if ('complaint' in unit) refuse(unit.complaint);
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

async function waitForCdn(
  { cdn }: Pick<UnitSession, 'cdn'>,
  invalidations: readonly Invalidation[],
  say: (text: string) => void,
): Promise<void> {
  if (invalidations.length === 0) return;
  await cdn.wait(invalidations);
  say('The CDN has forgotten them.');
}
