import type { Config } from '../../src/config.ts';
import { messageOf } from '../cli/command.ts';
import type { LineInput } from '../cli/input.ts';
import { watchForInterrupt } from '../cli/interrupt.ts';
import { type LineOutput, printMessage } from '../cli/output.ts';
import { printable } from '../cli/text.ts';
import { openUnitSession, type UnitSession } from '../cli/unit-session.ts';
import { prewarmLocally, type UnitToPrewarm } from './local-run.ts';
import { type Progress, showProgress } from './progress.ts';
import { prewarmThroughQueue } from './queue-run.ts';
import { readInput } from './read-input.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createToReportLine } from './report-line.ts';
import { formatSummary } from './summary.ts';
import { summarizeRun } from './summary-file.ts';
import { createTotals, type Totals } from './totals.ts';
import type { UnitSelection } from './unit-selection.ts';

export interface RunOptions {
  config: Config;
  input: LineInput;
  selection: UnitSelection;
  /** Each gets a line for each image. */
  outputs: readonly LineOutput[];
  /** Gets a summary in JSON at the end. */
  summary?: LineOutput;
  /** Whether standard error is a terminal on which a progress bar can be drawn. */
  isLive: boolean;
  /** Whether to try again what is remembered as broken. */
  retry: boolean;
  /** Whether to follow units that are queued until they are done. */
  wait: boolean;
  patienceMs: number;
  /** What mobile data costs a contractor. */
  mobileUsdPerGb: number;
  fetchesPerHost?: number;
}

/** What the parts of a run share. */
interface Run extends RunOptions {
  session: UnitSession;
  totals: Totals;
  recorder: Recorder;
  /** What is displayed; updated by the parts of the run. */
  progress: Progress;
  onMessage: (text: string) => void;
  signal: AbortSignal;
}

/** How long the end of a run waits until events are sent. */
const FLUSH_MS = 30_000;

/**
 * Prewarms all units of the input, in this process or through the queue, displays the progress, and then prints a summary.
 *
 * @returns the exit status: 0 when all is ready, 2 when images are broken or lines refused, 1 when work is left
 * @throws CommandFailure when the run cannot start
 */
export async function runPrewarm(options: RunOptions): Promise<0 | 1 | 2> {
  const startedAtMs = performance.now();
  const totals = createTotals();
  const progress: Progress = { counts: totals.counts, done: 0, total: options.input.totalBytes };
  const { config, outputs, isLive, fetchesPerHost } = options;
  let onMessage = printMessage;
  const perHost = fetchesPerHost === undefined ? {} : { fetchesPerHost };
  const session = await openUnitSession(config, (text) => onMessage(text), perHost);
  const display = showProgress(() => progress, { stream: process.stderr, isLive });
  onMessage = display.print;
  const interrupt = watchForInterrupt(onMessage);
  const { signal } = interrupt;
  // Images that wait for a free place then end as pending immediately.
  signal.addEventListener('abort', () => void session.drain());
  const recorder = createRecorder({
    ...{ totals, outputs, onMessage, signal },
    toLine: createToReportLine(config),
  });

  const run = { ...options, session, totals, recorder, progress, onMessage, signal };
  const problems = await problemsOf(
    () => (config.queue.kind === 'local' ? runLocally(run) : runThroughQueue(run)),
    () => recorder.ready(),
    ...outputs.map(({ close }) => close),
    async () => {
      await session.drain();
      await session.close();
    },
  );
  display.stop();
  interrupt.stop();
  if (signal.aborted) problems.push('Interrupted before the end.');
  const { pending, broken, refused } = totals.counts;
  const isIncomplete = problems.length > 0 || pending > 0;
  if (isIncomplete) problems.push('Run it again to make only what is missing.');
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { queued } = progress;
  const exitCode = isIncomplete ? 1 : broken > 0 || refused > 0 ? 2 : 0;
  const summary = formatSummary(totals, { seconds, queued, mobileUsdPerGb: options.mobileUsdPerGb });
  printMessage([summary, ...problems.map(printable)].join('\n\n'));
  options.summary?.write(JSON.stringify(summarizeRun(totals, { seconds, queued, exitCode, problems })));
  await options.summary?.close();
  return exitCode;
}

/** Runs every step in turn, even after one has failed. Returns the distinct messages of the errors. */
async function problemsOf(...steps: (() => Promise<void>)[]): Promise<string[]> {
  const problems = new Set<string>();
  for (const step of steps) await step().catch((error: unknown) => problems.add(messageOf(error)));
  return [...problems];
}

async function runLocally(run: Run): Promise<void> {
  const { session, retry, recorder, signal, progress } = run;
  const onDone = ({ bytes }: UnitToPrewarm) => {
    progress.done += bytes;
  };
  const { units, processJob, notifications } = session;
  notifications.start({ takesUp: false });
  await prewarmLocally(readInput(run.input, run), { units, processJob, retry, recorder, signal, onDone });
  // What is not sent by then waits in the store for the server.
  await notifications.flushed(AbortSignal.any([signal, AbortSignal.timeout(FLUSH_MS)]));
}

async function runThroughQueue(run: Run): Promise<void> {
  const { units, queue } = run.session;
  await prewarmThroughQueue(readInput(run.input, run), { ...run, units, queue });
}
