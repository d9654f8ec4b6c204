import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import cliProgress from 'cli-progress';
import { counted, formatBytes, formatCount, formatDuration } from '../command/amounts.ts';
import type { Counts } from './tally.ts';

/** How far a run has come. */
export interface Progress {
  /** What is shown. */
  counts: Readonly<Counts>;
  /** What is on the queue, while that is all that happens to it. */
  queued?: { units: number; images: number } | undefined;
  /** How much of the work is done, in whatever it is measured. */
  done: number;
  /** `undefined`: nobody knows yet. */
  total: number | undefined;
}

/** What is shown of a run while it lasts. */
export interface ProgressDisplay {
  /** Prints something else without either spoiling the other. */
  say(text: string): void;
  stop(): void;
}

export interface ProgressDisplayOptions {
  stream: NodeJS.WritableStream;
  /** Whether it is a terminal, on which what was written can be written over. */
  isLive: boolean;
  /** Between two looks, in milliseconds. Default 200 on a terminal, else 5,000. */
  everyMs?: number;
}

/** What is done a second is what was done within about this time. */
const WINDOW_MS = 30_000;
const BAR_WIDTH = 24;

/** Shows how far a run has come: a bar on a terminal, elsewhere a line now and then. */
export function showProgress(
  measure: () => Progress,
  { stream, isLive, everyMs = isLive ? 200 : 5000 }: ProgressDisplayOptions,
): ProgressDisplay {
  const describe = createDescription(measure);
  const display = isLive ? liveDisplay(stream, describe) : plainDisplay(stream, describe);
  const timer = setInterval(display.show, everyMs);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    clearInterval(timer);
    process.off('exit', stop);
    display.stop();
  };
  // A bar that is not stopped leaves the terminal without line wrapping.
  process.once('exit', stop);
  return { say: (text) => (isStopped ? void stream.write(`${text}\n`) : display.say(text)), stop };
}

/** A run in two lines. */
interface Described {
  /** What changes fast, and when it is over. */
  pace: string;
  counts: string;
  /** From 0 to 1, if it is known. */
  share: number | undefined;
}

function plainDisplay(stream: NodeJS.WritableStream, describe: () => Described) {
  const say = (text: string) => void stream.write(`${text}\n`);
  const show = () => {
    const { counts, pace } = describe();
    say(`${counts}; ${pace}`);
  };
  return { say, show, stop: () => {} };
}

function liveDisplay(stream: NodeJS.WritableStream, describe: () => Described) {
  // Drawn when we say so, in full: what is said meanwhile moves it down.
  const bars = new cliProgress.MultiBar({
    ...{ stream, fps: 0.001, forceRedraw: true, clearOnComplete: true },
    ...{ barsize: BAR_WIDTH, barCompleteChar: '█', barIncompleteChar: '░' },
    format: (options, { progress }, { text, hasShare }: { text: string; hasShare: boolean }) =>
      hasShare ? `${cliProgress.Format.BarFormat(progress, options)} ${text}` : text,
  });
  const pace = bars.create(1, 0, { text: '', hasShare: false });
  const counts = bars.create(1, 0, { text: '', hasShare: false });
  const show = () => {
    const { share, ...texts } = describe();
    pace.update(share ?? 0, { text: texts.pace, hasShare: share !== undefined });
    counts.update({ text: texts.counts });
    bars.update();
  };
  show();
  return {
    show,
    say(text: string) {
      moveCursor(stream, 0, -1);
      cursorTo(stream, 0);
      clearScreenDown(stream);
      // With a line more, since that is where the bars go up from.
      stream.write(`${text}\n\n`);
      bars.update();
    },
    stop: () => bars.stop(),
  };
}

function createDescription(measure: () => Progress): () => Described {
  const sample = ({ counts, done }: Progress) => {
    return { ms: performance.now(), images: counts.ready + counts.broken, done };
  };
  const samples = [sample(measure())];
  return () => {
    const progress = measure();
    const { done, total } = progress;
    const now = sample(progress);
    // Another part of the work has begun.
    if (done < Number(samples.at(-1)?.done)) samples.length = 0;
    samples.push(now);
    while (samples.length > 2 && now.ms - Number(samples[0]?.ms) > WINDOW_MS) samples.shift();
    const first = samples[0] ?? now;
    const seconds = Math.max(0.001, (now.ms - first.ms) / 1000);
    const donePerSecond = (done - first.done) / seconds;
    const isKnown = total !== undefined && donePerSecond > 0;
    return {
      pace: describePace(progress, {
        imagesPerSecond: (now.images - first.images) / seconds,
        secondsLeft: isKnown ? (total - done) / donePerSecond : undefined,
      }),
      counts: describeCounts(progress),
      share: total === undefined ? undefined : Math.min(1, done / Math.max(1, total)),
    };
  };
}

/** How fast a run is, and what it is good for. */
export function describePace(
  { counts, done, total, queued }: Progress,
  { imagesPerSecond, secondsLeft }: { imagesPerSecond: number; secondsLeft: number | undefined },
): string {
  return [
    ...(total === undefined ? [] : [`${Math.floor((100 * done) / Math.max(1, total))}%`]),
    ...(secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`]),
    ...(queued === undefined ? [`${imagesPerSecond.toFixed(1)} images/s`] : []),
    ...(queued === undefined ? [`${formatBytes(counts.savedBytes)} saved`] : []),
  ].join(', ');
}

/** What a run has done. */
export function describeCounts({ counts, queued }: Progress): string {
  const { units, ready, skipped, broken, pending, refused } = counts;
  const lines = refused > 0 ? [`${counted(refused, 'line')} refused`] : [];
  if (queued) return [`${counted(queued.units, 'unit')} queued`, ...lines].join(', ');
  const states = [
    `${formatCount(ready)} ready${skipped > 0 ? ` (${formatCount(skipped)} skipped)` : ''}`,
    ...(broken > 0 ? [`${formatCount(broken)} broken`] : []),
    ...(pending > 0 ? [`${formatCount(pending)} pending`] : []),
  ];
  const images = `${counted(ready + broken + pending, 'image')}: ${states.join(', ')}`;
  return [...lines, counted(units, 'unit'), images].join(', ');
}
