import type { Totals } from './totals.ts';

/** The summary of a run for programs: what `--summary` writes. */
export interface RunSummary {
  units: number;
  /** How many of these were purged meanwhile. */
  purged: number;
  /** Images by state. `skipped`: how many of the ready ones had all their variants before. */
  images: { ready: number; skipped: number; broken: number; pending: number };
  /** How many broken images there are, by error code. */
  codes: Readonly<Record<string, number>>;
  /** What was put on the queue, if that was not followed to its end. */
  queued?: { units: number; images: number };
  /** Lines that are no units. */
  refused: number;
  /** Of all variants of the images that are ready. */
  bytes: number;
  /** Of the originals of the images that are ready. */
  sourceBytes: number;
  /** By how much these originals exceed the largest variant of each. */
  saved: number;
  seconds: number;
  exitCode: number;
  /** Why something is left to be done. */
  problems: readonly string[];
}

/** Returns the summary of a run. */
export function summarizeRun(
  totals: Totals,
  run: Pick<RunSummary, 'seconds' | 'exitCode' | 'problems'> & { queued?: RunSummary['queued'] | undefined },
): RunSummary {
  const { units, purged, ready, skipped, broken, pending, refused, sourceBytes, savedBytes } = totals.counts;
  const codes: Record<string, number> = {};
  for (const { code, images } of totals.brokenReasons()) codes[code] = (codes[code] ?? 0) + images;
  const { queued, seconds, exitCode, problems } = run;
  return {
    ...{ units, purged, images: { ready, skipped, broken, pending }, codes },
    ...(queued && { queued }),
    refused,
    bytes: totals.kinds.reduce((sum, { bytes }) => sum + bytes, 0),
    sourceBytes,
    saved: savedBytes,
    seconds: Math.round(seconds * 1000) / 1000,
    ...{ exitCode, problems },
  };
}
