import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import cliProgress from 'cli-progress';
import { counted, formatBytes, formatCount, formatDuration } from '../cli/text.ts';
import type { Counts } from './totals.ts';

/** The progress of a run. */
export interface Progress {
  counts: Readonly<Counts>;
  /** How much is on the queue, while units are only being put there. */
  queued?: { units: number; images: number } | undefined;
  /** How much of `total` is done, in bytes of input or in units. */
  done: number;
  /** `undefined` while it is not known. */
  total: number | undefined;
}

/** Displays the progress of a run until it is stopped. */
export interface ProgressDisplay {
  /** Prints a line without damage to the display. */
  print(text: string): void;
  stop(): void;
}

export interface ProgressDisplayOptions {
  stream: NodeJS.WritableStream;
  /** Whether it is a terminal, on which the display can be redrawn. */
  isLive: boolean;
  /** The interval between two updates, in milliseconds. Default 200 on a terminal, else 5,000. */
  everyMs?: number;
}

/** Rates are averages over about this time. */
const WINDOW_MS = 30_000;
const BAR_WIDTH = 24;

/** Displays the progress of a run: as a bar on a terminal, else as a line every few seconds. */
export function showProgress(
  getProgress: () => Progress,
  { stream, isLive, everyMs = isLive ? 200 : 5000 }: ProgressDisplayOptions,
): ProgressDisplay {
  const render = createRenderer(getProgress);
  const display = isLive ? barDisplay(stream, render) : lineDisplay(stream, render);
  const timer = setInterval(display.update, everyMs);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    clearInterval(timer);
    process.off('exit', stop);
    display.stop();
  };
  // The bar disables line wrapping of the terminal until it is stopped.
  process.once('exit', stop);
  return { print: (text) => (isStopped ? void stream.write(`${text}\n`) : display.print(text)), stop };
}

/** The progress as text. */
interface RenderedProgress {
  /** The rate and the time left, which change fast. */
  pace: string;
  counts: string;
  /** The part that is done, from 0 to 1; `undefined` while it is not known. */
  share: number | undefined;
}

function lineDisplay(stream: NodeJS.WritableStream, render: () => RenderedProgress) {
  const print = (text: string) => void stream.write(`${text}\n`);
  const update = () => {
    const { counts, pace } = render();
    print(`${counts}; ${pace}`);
  };
  return { print, update, stop: () => {} };
}

function barDisplay(stream: NodeJS.WritableStream, render: () => RenderedProgress) {
  // It is drawn by `update` alone, in full: lines that are printed in between move it down.
  const bars = new cliProgress.MultiBar({
    ...{ stream, fps: 0.001, forceRedraw: true, clearOnComplete: true },
    ...{ barsize: BAR_WIDTH, barCompleteChar: '█', barIncompleteChar: '░' },
    format: (options, { progress }, { text, hasShare }: { text: string; hasShare: boolean }) =>
      hasShare ? `${cliProgress.Format.BarFormat(progress, options)} ${text}` : text,
  });
  const pace = bars.create(1, 0, { text: '', hasShare: false });
  const counts = bars.create(1, 0, { text: '', hasShare: false });
  const update = () => {
    const { share, ...texts } = render();
    pace.update(share ?? 0, { text: texts.pace, hasShare: share !== undefined });
    counts.update({ text: texts.counts });
    bars.update();
  };
  update();
  return {
    update,
    print(text: string) {
      moveCursor(stream, 0, -1);
      cursorTo(stream, 0);
      clearScreenDown(stream);
      // One line more, because the next update of the bars moves up by one line.
      stream.write(`${text}\n\n`);
      bars.update();
    },
    stop: () => bars.stop(),
  };
}

/** Returns a function that renders the current progress, with rates since up to {@link WINDOW_MS} ago. */
function createRenderer(getProgress: () => Progress): () => RenderedProgress {
  const sample = ({ counts, done }: Progress) => {
    return { ms: performance.now(), images: counts.ready + counts.broken, done };
  };
  const samples = [sample(getProgress())];
  return () => {
    const progress = getProgress();
    const { done, total } = progress;
    const now = sample(progress);
    // `done` starts again when units are followed after they were queued.
    if (done < Number(samples.at(-1)?.done)) samples.length = 0;
    samples.push(now);
    while (samples.length > 2 && now.ms - Number(samples[0]?.ms) > WINDOW_MS) samples.shift();
    const first = samples[0] ?? now;
    const seconds = Math.max(0.001, (now.ms - first.ms) / 1000);
    const donePerSecond = (done - first.done) / seconds;
    const isKnown = total !== undefined && donePerSecond > 0;
    return {
      pace: formatPace(progress, {
        imagesPerSecond: (now.images - first.images) / seconds,
        secondsLeft: isKnown ? (total - done) / donePerSecond : undefined,
      }),
      counts: formatCounts(progress),
      share: total === undefined ? undefined : Math.min(1, done / Math.max(1, total)),
    };
  };
}

/** The share that is done, the time left, the rate, and the bytes saved so far. */
export function formatPace(
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

/** How many units and images are done, by state. */
export function formatCounts({ counts, queued }: Progress): string {
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
