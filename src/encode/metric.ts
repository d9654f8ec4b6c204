import { Worker } from 'node:worker_threads';

/** 8-bit sRGB pixels, three bytes each (R, G, B), rows from top to bottom, without padding. */
export interface RgbImage {
  data: Uint8Array;
  width: number;
  height: number;
}

/**
 * SSIMULACRA2 v2.1 (Cloudinary), a perceptual metric: 100 for identical images, 90 visually lossless, 70 high quality, 50 medium,
 * 30 low; no lower bound.
 *
 * Scales under 8 pixels on a side are left out. Each weight stays with its own channel and scale, whereas Cloudinary's program assigns its
 * list of weights in order and so shifts them once a scale is missing: under 256 pixels on a side the two may differ. Of large planes, one
 * row in three or five is compared, which changes nine scores in ten by less than 0.1.
 */
export interface Metric {
  /** Opens a reference that candidates are scored against. It holds about 25 bytes per pixel until it is closed. */
  open(image: RgbImage): Reference;
}

/** The original image, as the metric holds it. */
export interface Reference {
  /**
   * Scores a candidate against the reference.
   *
   * @throws RangeError if the sizes differ, an image does not have three bytes a pixel, or the reference does not fit into the metric's memory
   */
  score(candidate: RgbImage): Promise<number>;
  /** Releases the memory of the reference. */
  close(): void;
}

/** A worker thread that scores. */
interface Scorer {
  send(request: ScorerRequest): Promise<number | undefined>;
  /** The number of open references. */
  load: number;
}

type ScorerRequest =
  | { kind: 'open' | 'score'; reference: number; image: RgbImage }
  | { kind: 'close'; reference: number };

type ScorerResponse = { id: number } & ({ result: number | undefined } | { error: Error });

/**
 * Creates a metric that computes in worker threads. They start on demand and do not keep the process alive.
 *
 * @param threads - the maximum number of threads
 */
export function createMetric(threads: number): Metric {
  const scorers: Scorer[] = [];
  let opened = 0;

  function remove(scorer: Scorer): void {
    const at = scorers.indexOf(scorer);
    if (at >= 0) scorers.splice(at, 1);
  }

  function leastLoaded(): Scorer {
    const idle = scorers.find(({ load }) => load === 0);
    if (idle) return idle;
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
      const reference = opened++;
      scorer.load++;
      const send = createPixelSender(scorer, reference);
      const ready = send('open', image);
      // The first score throws its error.
      ready.catch(() => {});
      return {
        async score(candidate) {
          assertSameSize(image, candidate);
          await ready;
          return (await send('score', candidate)) as number;
        },
        close() {
          scorer.load--;
          scorer.send({ kind: 'close', reference }).catch(() => {});
        },
      };
    },
  };
}

/**
 * Returns a function that sends pixels to the thread of a reference, by way of shared memory. That is used again, since the first use of new
 * memory costs several times what copying the pixels does.
 */
function createPixelSender(scorer: Scorer, reference: number) {
  const unused: Uint8Array<SharedArrayBuffer>[] = [];
  return async (kind: 'open' | 'score', { data, width, height }: RgbImage) => {
    const bytes = width * height * 3;
    if (data.byteLength !== bytes)
      throw new RangeError(`${width}×${height} pixels have ${bytes} bytes, not ${data.byteLength}`);
    const shared = unused.pop() ?? new Uint8Array(new SharedArrayBuffer(bytes));
    shared.set(data);
    const result = await scorer.send({ kind, reference, image: { data: shared, width, height } });
    unused.push(shared);
    return result;
  };
}

function assertSameSize(reference: RgbImage, { width, height }: RgbImage): void {
  if (width === reference.width && height === reference.height) return;
  throw new RangeError(
    `cannot score ${width}×${height} pixels against ${reference.width}×${reference.height}`,
  );
}

/** @param onExit - called when the thread has exited, which happens only after an error */
function startScorer(onExit: () => void): Scorer {
  // An empty execArgv keeps the thread from loading the module loaders of the main program again.
  const worker = new Worker(new URL('./metric-worker.mjs', import.meta.url), { execArgv: [] });
  const pending = new Map<
    number,
    { resolve: (result: number | undefined) => void; reject: (error: Error) => void }
  >();
  let requests = 0;
  worker.unref();
  worker.on('message', (response: ScorerResponse) => {
    const request = pending.get(response.id);
    pending.delete(response.id);
    if (pending.size === 0) worker.unref();
    if ('error' in response) request?.reject(response.error);
    else request?.resolve(response.result);
  });
  worker.on('error', (error) => rejectPending(error));
  worker.on('exit', (code) => rejectPending(new Error(`the metric's thread exited with code ${code}`)));

  function rejectPending(error: Error): void {
    onExit();
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  }

  return {
    load: 0,
    send: (request) =>
      new Promise((resolve, reject) => {
        const id = requests++;
        pending.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ ...request, id });
      }),
  };
}
