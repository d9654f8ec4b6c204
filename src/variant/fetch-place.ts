import type { LockOptions } from '../locks.ts';
import type { AnswerWatcher } from '../source/source.ts';

/** What one fetch holds: a request, and a place while its source is read. */
export interface FetchPlace extends AnswerWatcher {
  /**
   * To be called once the source has begun to answer, and awaited before the bytes are read: the source may have been silent for so long that
   * others have its place.
   *
   * @throws the reason why the wait ended; an error if the fetch is over
   */
  onAnswer(): Promise<void>;
  /** To be called when the bytes are there. */
  onFetched(): void;
  /** Frees what the fetch holds, or still waits for. To be called however the fetch ends. */
  free(): void;
}

export interface FetchPlaceOptions {
  /** How many sources are fetched at a time, those aside that have not begun to answer. */
  fetches: number;
  share: LockOptions['share'];
  /** Takes a place when there is one. Returns the function that frees it. */
  takePlace(name: string, place: LockOptions): Promise<() => void>;
  /** Called when the source has not answered for a while, and when it has. */
  onSilence(isSilent: boolean): void;
}

/** A source that has not begun to answer after this time costs nothing yet, and its place to fetch goes to others. */
const SILENCE_MS = 250;
/** Requests without an answer cost a connection each. */
const REQUESTS_PER_FETCH = 4;

/** Waits for a place to fetch, which others get while the source does not answer. */
export async function takeFetchPlace(options: FetchPlaceOptions): Promise<FetchPlace> {
  const { fetches, share, takePlace, onSilence } = options;
  const over = new AbortController();
  const freeRequest = await takePlace('request', { limit: REQUESTS_PER_FETCH * fetches, share });
  let freePlace: (() => void) | undefined;

  function giveBack(): void {
    freePlace?.();
    freePlace = undefined;
  }

  async function take(priority: number): Promise<void> {
    freePlace = await takePlace('fetch', { limit: fetches, share, priority, signal: over.signal });
    if (!over.signal.aborted) return;
    // It came at the moment when the fetch failed.
    giveBack();
    over.signal.throwIfAborted();
  }

  await take(0).catch((error: unknown) => {
    freeRequest();
    throw error;
  });
  function onStall(): void {
    if (over.signal.aborted) return;
    onSilence(true);
    giveBack();
  }

  const silence = setTimeout(onStall, SILENCE_MS);

  return {
    onStall,
    async onAnswer() {
      // A request can go on when nobody waits for its fetch any more.
      over.signal.throwIfAborted();
      clearTimeout(silence);
      onSilence(false);
      if (!freePlace) await take(1);
    },
    onFetched: () => clearTimeout(silence),
    free() {
      over.abort(new Error('the fetch is over'));
      clearTimeout(silence);
      giveBack();
      freeRequest();
    },
  };
}
