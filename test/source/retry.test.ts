import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgepressError } from '../../src/protocol/error.ts';
import { hostRefusal, isHostRefusal } from '../../src/source/host-breakers.ts';
import { createWithRetry } from '../../src/source/retry.ts';

const BYTES = new Uint8Array([1]);
const busy = (retryAfterSeconds: number) =>
  new EdgepressError('source_unavailable', 'status 429', { retryable: true, retryAfterSeconds });
const connectionReset = () => new EdgepressError('source_unavailable', 'reset', { retryable: true });
const notFound = () => new EdgepressError('source_not_found', 'status 404');
const refusal = (retryAfterSeconds: number) => {
  const { cause } = hostRefusal(new EdgepressError('source_timeout', 'no response'), 1);
  return new EdgepressError('source_timeout', 'refused', { retryable: true, retryAfterSeconds, cause });
};

/** A fetch with retries. Each attempt throws the next of `errors`, or returns bytes if there are none left. */
function setUp({ concurrencyPerHost = 4 } = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const errors: Error[] = [];
  const fetched: string[] = [];
  let open = 0;
  let maxOpen = 0;
  let waitForResponse = async () => {};
  const fetchOnce = async (src: string) => {
    fetched.push(src);
    open++;
    maxOpen = Math.max(maxOpen, open);
    await waitForResponse();
    open--;
    const error = errors.shift();
    if (error) throw error;
    return BYTES;
  };
  const withRetry = createWithRetry({ signal: stop.signal, concurrencyPerHost, retryDelayMs: 1 });
  return {
    stop,
    fetch: (src: string) => withRetry(src, () => fetchOnce(src)),
    errors,
    fetched,
    maxOpen: () => maxOpen,
    /** Makes each response wait for a promise. */
    delayResponses: (until: () => Promise<void>) => {
      waitForResponse = until;
    },
  };
}

const turnsOfEventLoop = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((next) => setImmediate(next));
};

describe('fetching with retries', () => {
  it('bounds the concurrent fetches from one host, and not those from others', async () => {
    const { fetch, fetched, maxOpen, delayResponses } = setUp({ concurrencyPerHost: 2 });
    let respond = () => {};
    const responses = new Promise<void>((resolve) => {
      respond = resolve;
    });
    delayResponses(() => responses);
    const slow = Array.from({ length: 10 }, (_, number) => fetch(`https://a.test/${number}`));
    const other = fetch('https://b.test/1');
    await turnsOfEventLoop(5);
    expect(fetched).toEqual(['https://a.test/0', 'https://a.test/1', 'https://b.test/1']);
    respond();
    await Promise.all([...slow, other]);
    expect(maxOpen()).toBe(3);
  });

  it('tries up to three times after retryable errors', async () => {
    const { fetch, errors, fetched } = setUp();
    errors.push(connectionReset(), connectionReset());
    expect(await fetch('https://a.test/1')).toBe(BYTES);
    expect(fetched).toHaveLength(3);
  });

  it('throws the last error after three attempts', async () => {
    const { fetch, errors, fetched } = setUp();
    errors.push(connectionReset(), connectionReset(), connectionReset());
    await expect(fetch('https://a.test/2')).rejects.toMatchObject({ message: 'reset' });
    expect(fetched).toHaveLength(3);
  });

  it.each([
    ['an error that is not retryable', notFound(), { code: 'source_not_found' }],
    ['a Retry-After that is too long to wait for', busy(3600), { retryAfterSeconds: 3600 }],
    ['a bug', new TypeError('a bug'), { message: 'a bug' }],
  ])('does not retry after %s', async (_name, error, expected) => {
    const { fetch, errors, fetched } = setUp();
    errors.push(error);
    await expect(fetch('https://a.test/1')).rejects.toMatchObject(expected);
    expect(fetched).toHaveLength(1);
  });

  it('stops waiting when its signal aborts', async () => {
    const { fetch, errors, stop } = setUp();
    errors.push(busy(20));
    const waiting = fetch('https://a.test/1');
    await turnsOfEventLoop(5);
    stop.abort(new Error('the process is ending'));
    await expect(waiting).rejects.toThrow('the process is ending');
  });
});

describe('the rate limiter of a host', () => {
  it('sends no request to a host until its Retry-After has passed', async () => {
    const { fetch, errors, fetched, stop } = setUp();
    errors.push(busy(20));
    const first = fetch('https://a.test/1');
    await turnsOfEventLoop(5);
    const others = Array.from({ length: 8 }, (_, number) => fetch(`https://a.test/${number}`));
    const waiting = Promise.allSettled([first, ...others]);
    await turnsOfEventLoop(5);
    expect(fetched).toEqual(['https://a.test/1']);
    await fetch('https://b.test/1');
    expect(fetched).toEqual(['https://a.test/1', 'https://b.test/1']);
    stop.abort();
    await waiting;
  });

  it('resumes the waiting requests at half the concurrency once the Retry-After has passed', async () => {
    const { fetch, errors, fetched, maxOpen, delayResponses } = setUp({ concurrencyPerHost: 4 });
    errors.push(busy(0.1));
    const first = fetch('https://a.test/first');
    await turnsOfEventLoop(5);
    let twoAreOpen = () => {};
    const overlap = new Promise<void>((resolve) => {
      twoAreOpen = resolve;
    });
    delayResponses(async () => {
      if (maxOpen() === 2) twoAreOpen();
      await overlap;
      // Long enough for a third request, if one were allowed.
      await turnsOfEventLoop(5);
    });
    const others = Array.from({ length: 8 }, (_, number) => fetch(`https://a.test/${number}`));
    await Promise.all([first, ...others]);
    expect(fetched).toHaveLength(10);
    expect(maxOpen()).toBe(2);
  });

  it.each([
    ['keeps a reduced concurrency after a few responses', 5, 1],
    ['restores the concurrency after many responses without a complaint', 40, 2],
  ])('%s', async (_title, fetches, concurrency) => {
    const { fetch, errors, maxOpen, delayResponses } = setUp({ concurrencyPerHost: 2 });
    delayResponses(() => turnsOfEventLoop(1));
    errors.push(busy(0.1));
    const first = fetch('https://a.test/first');
    await turnsOfEventLoop(5);
    const others = Array.from({ length: fetches }, (_, number) => fetch(`https://a.test/${number}`));
    await Promise.all([first, ...others]);
    expect(maxOpen()).toBe(concurrency);
  });

  it('throws the last error of the host, without a request, during a pause that is too long to wait for', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(1_000);
    onTestFinished(() => void vi.restoreAllMocks());
    const { fetch, errors, fetched } = setUp();
    errors.push(busy(120));
    await expect(fetch('https://a.test/1')).rejects.toMatchObject({ retryAfterSeconds: 120 });
    await turnsOfEventLoop(5);
    for (const src of ['https://a.test/1', 'https://a.test/2']) {
      await expect(fetch(src)).rejects.toMatchObject({
        code: 'source_unavailable',
        message: expect.stringContaining('no further requests'),
        retryable: true,
        retryAfterSeconds: 120,
      });
    }
    expect(fetched).toEqual(['https://a.test/1']);
    await fetch('https://b.test/1');
  });

  it('waits for a host that its circuit breaker refuses, which costs no attempt', async () => {
    const { fetch, errors, fetched } = setUp();
    errors.push(connectionReset(), refusal(0.01), refusal(0.01), refusal(0.01), connectionReset());
    await expect(fetch('https://a.test/1')).resolves.toBe(BYTES);
    expect(fetched).toHaveLength(6);
  });

  it('gives up a host that its circuit breaker refuses for longer than is worth waiting', async () => {
    const { fetch, errors, fetched } = setUp();
    errors.push(refusal(60));
    expect(isHostRefusal(await fetch('https://a.test/1').catch((error: unknown) => error))).toBe(true);
    errors.push(connectionReset(), refusal(60));
    await expect(fetch('https://a.test/2')).rejects.toMatchObject({ message: 'reset' });
    expect(fetched).toHaveLength(3);
  });

  it('asks a host again as soon as its circuit breaker lets it, after a long refusal', async () => {
    const { fetch, errors } = setUp();
    errors.push(refusal(60));
    await expect(fetch('https://a.test/1')).rejects.toMatchObject({ retryAfterSeconds: 60 });
    expect(await fetch('https://a.test/2')).toBe(BYTES);
  });
});
