import type { Config } from '../../src/config.ts';
import { readUnit, type ToUnit } from '../../src/unit/read-units.ts';
import { printable } from '../command/amounts.ts';
import { watchForInterruption } from '../command/interruption.ts';
import type { LineInput } from '../command/line-input.ts';
import type { LineOutput } from '../command/line-output.ts';
import { openUnitSession, type UnitSession } from '../command/unit-session.ts';
import { type Account, createAccount } from './account.ts';
import { type FollowedUnit, followUnits } from './follow-units.ts';
import { prewarmHere, type UnitToPrewarm } from './here.ts';
import { type Progress, showProgress } from './progress.ts';
import { queueUnits } from './queue.ts';
import { describeRun } from './report.ts';
import { createSpool } from './spool.ts';
import { createTally, type Tally } from './tally.ts';

export interface RunOptions {
  config: Config;
  input: LineInput;
  toUnit: ToUnit;
  /** Where a line an image goes. */
  outputs: readonly LineOutput[];
  /** Whether standard error is a terminal of its own. */
  isLive: boolean;
  retry: boolean;
  /** Whether units that are queued are followed until they are done. */
  wait: boolean;
  patienceMs: number;
  /** What a contractor pays. */
  mobileUsdPerGb: number;
  fetchesPerHost?: number;
}

/** What the parts of a run share. */
interface Run extends RunOptions {
  session: UnitSession;
  tally: Tally;
  account: Account;
  /** What is shown of it; parts of the run change it. */
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Prewarms all units of the input, in this process or through the queue, showing how far it is, and then what became of them.
 *
 * @returns the exit status
 * @throws CommandFailure when it cannot even begin
 */
export async function runPrewarm(options: RunOptions): Promise<0 | 1 | 2> {
  const startedAtMs = performance.now();
  const tally = createTally();
  const progress: Progress = { counts: tally.counts, done: 0, total: options.input.totalBytes };
  const { config, outputs, isLive, fetchesPerHost } = options;
  let say = (text: string): void => void process.stderr.write(`${text}\n`);
  const perHost = fetchesPerHost === undefined ? {} : { fetchesPerHost };
  const session = await openUnitSession(config, (text) => say(text), perHost);
  const display = showProgress(() => progress, { stream: process.stderr, isLive });
  say = display.say;
  const interruption = watchForInterruption(say);
  const { signal } = interruption;
  // What waits for its turn then stays pending, rather than be waited for.
  signal.addEventListener('abort', () => void session.finish());
  const account = createAccount({ tally, outputs, say, signal });
  const work = config.queue.kind === 'local' ? workHere : workThroughQueue;

  const run = { ...options, session, tally, account, progress, signal };
  const troubles = await troublesOf(
    () => work(run),
    ...outputs.map(({ close }) => close),
    async () => {
      await session.finish();
      await session.close();
    },
  );
  display.stop();
  interruption.ignore();
  if (signal.aborted) troubles.push('It was stopped before its end.');
  const { pending, broken, refused } = tally.counts;
  const isUndone = troubles.length > 0 || pending > 0;
  if (isUndone) troubles.push('Running it again does only what is missing.');
  const report = describeRun(tally, {
    seconds: (performance.now() - startedAtMs) / 1000,
    queued: progress.queued,
    mobileUsdPerGb: options.mobileUsdPerGb,
  });
  process.stderr.write(`${[report, ...troubles.map(printable)].join('\n\n')}\n`);
  if (isUndone) return 1;
  return broken > 0 || refused > 0 ? 2 : 0;
}

/** Does one thing after the other, whatever becomes of those before, and returns what went wrong: each trouble once. */
async function troublesOf(...steps: (() => Promise<void>)[]): Promise<string[]> {
  const troubles = new Set<string>();
  for (const step of steps) {
    await step().catch((error: unknown) =>
      troubles.add(error instanceof Error ? error.message : String(error)),
    );
  }
  return [...troubles];
}

async function workHere(run: Run): Promise<void> {
  const { session, retry, account, signal, progress } = run;
  const done = ({ bytes }: UnitToPrewarm) => {
    progress.done += bytes;
  };
  await prewarmHere(readInput(run), { units: session.units, retry, account, signal, done });
}

async function workThroughQueue(run: Run): Promise<void> {
  const { session, wait, progress } = run;
  const { units, queue } = session;
  const sinceMs = Date.now();
  const spool = wait ? await createSpool<FollowedUnit>() : undefined;
  const queued = { units: 0, images: 0 };
  progress.queued = queued;
  const put = async (sent: readonly FollowedUnit[]) => {
    queued.units += sent.length;
    for (const { images } of sent) queued.images += images;
    await spool?.add(sent);
  };
  try {
    const items = countingBytes(readInput(run), progress);
    await queueUnits(items, { units, queue, retry: run.retry, put, isFollowed: wait });
    if (!spool) return;
    Object.assign(progress, { queued: undefined, done: 0, total: queued.units });
    const { account, tally, patienceMs, signal } = run;
    const follow = { units, account, tally, sinceMs, patienceMs, signal };
    const ended = await followUnits(spool.read(), { ...follow, done: () => progress.done++ });
    if (ended === 'out of patience') {
      throw new Error(`Nothing has changed for ${patienceMs / 1000} s: does anyone work on the queue?`);
    }
  } finally {
    await spool?.close();
  }
}

async function* readInput(run: Run): AsyncGenerator<UnitToPrewarm, void> {
  const { input, toUnit, account, progress, signal } = run;
  for await (const { file, read } of input.lines(signal)) {
    await account.room();
    const entry = readUnit(read, toUnit);
    if ('unit' in entry) {
      yield { ...entry, bytes: read.bytes };
    } else {
      account.refuse(file === undefined ? entry : { ...entry, file });
      progress.done += read.bytes;
    }
  }
}

async function* countingBytes(items: AsyncIterable<UnitToPrewarm>, progress: Progress) {
  for await (const item of items) {
    yield item;
    progress.done += item.bytes;
  }
}
