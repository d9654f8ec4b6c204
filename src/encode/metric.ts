import { Worker } from 'node:worker_threads';

/** Pixels of 8-bit sRGB, three bytes each (R, G, B), row after row, nothing in between. */
export interface RgbImage {
  data: Uint8Array;
  width: number;
  height: number;
}

/**
 * How much alike pictures look, by SSIMULACRA2 v2.1 (Cloudinary): 100 for identical, 90 visually lossless, 70 high quality, 50
 * medium, 30 low; no lower bound.
 *
 * Scales that would be under 8 pixels on a side are left out. Each weight stays with its own channel and scale, where
 * Cloudinary's program deals out its list from the start and so pairs them otherwise once a scale is missing: under
 * 256 pixels on a side the two may differ.
 */
export interface Metric {
  /** Takes in an original. It holds about 50 bytes a pixel until it is closed. */
  open(original: RgbImage): Original;
}

export interface Original {
  /**
   * @param candidate - of the size of the original
   * @throws RangeError when it is of another size, or too large for the metric's memory
   */
  score(candidate: RgbImage): Promise<number>;
  close(): void;
}

/** A thread that scores, and what it has not answered yet. */
interface Scorer {
  ask(request: ScorerRequest): Promise<number | undefined>;
  /** Originals that are open. */
  load: number;
}

type ScorerRequest =
  | { kind: 'open' | 'score'; original: number; image: RgbImage }
  | { kind: 'close'; original: number };

type Answer = { id: number } & ({ result: number | undefined } | { error: Error });

/**
 * A metric that computes in threads of its own, which start when they are needed and keep no process from ending.
 *
 * @param threads - at most so many
 */
export function createMetric(threads: number): Metric {
  const scorers: Scorer[] = [];
  let opened = 0;

  function remove(scorer: Scorer): void {
    const at = scorers.indexOf(scorer);
    if (at >= 0) scorers.splice(at, 1);
  }

  function leastLoaded(): Scorer {
    const free = scorers.find(({ load }) => load === 0);
    if (free) return free;
    if (scorers.length < threads) {
      const scorer = startScorer(() => remove(scorer));
      scorers.push(scorer);
      return scorer;
    }
    return scorers.reduce((least, scorer) => (scorer.load < least.load ? scorer : least));
  }

  return {
    open(image) {
      const scorer = leastLoaded();
      const original = opened++;
      scorer.load++;
      const ready = scorer.ask({ kind: 'open', original, image });
      // Told with the first score.
      ready.catch(() => {});
      return {
        async score(candidate) {
          refuseOtherSize(image, candidate);
          await ready;
          return (await scorer.ask({ kind: 'score', original, image: candidate })) as number;
        },
        close() {
          scorer.load--;
          scorer.ask({ kind: 'close', original }).catch(() => {});
        },
      };
    },
  };
}

function refuseOtherSize(original: RgbImage, { width, height }: RgbImage): void {
  if (width === original.width && height === original.height) return;
  throw new RangeError(`cannot score ${width}×${height} pixels against ${original.width}×${original.height}`);
}

/** @param onEnd - told when the thread has ended, which it does only through a fault */
function startScorer(onEnd: () => void): Scorer {
  // Without execArgv the thread would load the loaders of the main program once more.
  const worker = new Worker(new URL('./metric-worker.mjs', import.meta.url), { execArgv: [] });
  const waiting = new Map<
    number,
    { resolve: (result: number | undefined) => void; reject: (e: Error) => void }
  >();
  let asked = 0;
  worker.unref();
  worker.on('message', (answer: Answer) => {
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ('error' in answer) asker?.reject(answer.error);
    else asker?.resolve(answer.result);
  });
  worker.on('error', (fault) => end(fault));
  worker.on('exit', (code) => end(new Error(`the metric's thread ended with ${code}`)));

  function end(fault: Error): void {
    onEnd();
    for (const { reject } of waiting.values()) reject(fault);
    waiting.clear();
  }

  return {
    load: 0,
    ask: (request) =>
      new Promise((resolve, reject) => {
        const id = asked++;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ ...request, id });
      }),
  };
}
