import { describe, expect, it, onTestFinished } from 'vitest';
import { EdgepressError } from '../../src/protocol/error.ts';
import { createWithRetry } from '../../src/source/retry.ts';

const BYTES = new Uint8Array([1]);
const busy = (retryAfterSeconds: number) =>
  new EdgepressError('source_unavailable', 'status 429', { retryable: true, retryAfterSeconds });
const flaky = () => new EdgepressError('source_unavailable', 'reset', { retryable: true });
const gone = () => new EdgepressError('source_not_found', 'status 404');

/** A fetcher that answers as it is told to, one answer a fetch, and a photograph when it is told nothing more. */
function setUp({ concurrencyPerHost = 4 } = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const errors: Error[] = [];
  const fetched: string[] = [];
  let open = 0;
  let mostOpen = 0;
  let answer = async () => {};
  const fetchOnce = async (src: string) => {
    fetched.push(src);
    open++;
    mostOpen = Math.max(mostOpen, open);
    await answer();
    open--;
    const error = errors.shift();
    if (error) throw error;
    return BYTES;
  };
  const persist = createWithRetry({ signal: stop.signal, concurrencyPerHost, retryDelayMs: 1 });
  const patient = { fetch: (src: string) => persist(src, () => fetchOnce(src)) };
  return {
    stop,
    patient,
    errors,
    fetched,
    mostOpen: () => mostOpen,
    hold: (until: () => Promise<void>) => {
      answer = until;
    },
  };
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((next) => setImmediate(next));
};

describe('patience with sources', () => {
  it('asks one host for few at once, and others meanwhile', async () => {
    const { patient, fetched, mostOpen, hold } = setUp({ concurrencyPerHost: 2 });
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    hold(() => held);
    const slow = Array.from({ length: 10 }, (_, number) => patient.fetch(`https://a.test/${number}`));
    const other = patient.fetch('https://b.test/1');
    await turns(5);
    expect(fetched).toEqual(['https://a.test/0', 'https://a.test/1', 'https://b.test/1']);
    letGo();
    await Promise.all([...slow, other]);
    expect(mostOpen()).toBe(3);
  });

  it('tries what may pass three times, then gives up with the last error', async () => {
    const { patient, errors, fetched } = setUp();
    errors.push(flaky(), flaky());
    expect(await patient.fetch('https://a.test/1')).toBe(BYTES);
    errors.push(flaky(), flaky(), flaky());
    await expect(patient.fetch('https://a.test/2')).rejects.toMatchObject({ message: 'reset' });
    expect(fetched).toHaveLength(6);
  });

  it('never tries again what will not pass, nor what asks for more patience than there is', async () => {
    const { patient, errors, fetched } = setUp();
    errors.push(gone(), busy(3600), new TypeError('a bug'));
    await expect(patient.fetch('https://a.test/1')).rejects.toMatchObject({ code: 'source_not_found' });
    await expect(patient.fetch('https://b.test/2')).rejects.toMatchObject({ retryAfterSeconds: 3600 });
    await expect(patient.fetch('https://c.test/3')).rejects.toThrow('a bug');
    expect(fetched).toHaveLength(3);
  });

  it('leaves a host alone that says when to come back, and then asks it for fewer at once', async () => {
    const { patient, errors, fetched, mostOpen } = setUp({ concurrencyPerHost: 4 });
    errors.push(busy(0.2));
    const first = patient.fetch('https://a.test/1');
    await turns(5);
    const rest = Array.from({ length: 8 }, (_, number) => patient.fetch(`https://a.test/${number}`));
    await turns(5);
    expect(fetched).toHaveLength(1);
    await patient.fetch('https://b.test/1');
    expect(fetched).toEqual(['https://a.test/1', 'https://b.test/1']);
    await Promise.all([first, ...rest]);
    expect(mostOpen()).toBeLessThanOrEqual(2);
  });

  it('asks for more at once again when a host has long not complained', async () => {
    const mostAtOnce = async (fetches: number) => {
      const { patient, errors, mostOpen, hold } = setUp({ concurrencyPerHost: 2 });
      hold(() => turns(1));
      errors.push(busy(0.1));
      const first = patient.fetch('https://a.test/first');
      await turns(5);
      const rest = Array.from({ length: fetches }, (_, number) => patient.fetch(`https://a.test/${number}`));
      await Promise.all([first, ...rest]);
      return mostOpen();
    };
    expect(await mostAtOnce(5)).toBe(1);
    expect(await mostAtOnce(40)).toBe(2);
  });

  it('remembers a pause when nobody asks meanwhile, and then answers at once with what the host said', async () => {
    const { patient, errors, fetched } = setUp();
    errors.push(busy(120));
    await expect(patient.fetch('https://a.test/1')).rejects.toMatchObject({ retryAfterSeconds: 120 });
    await turns(5);
    for (const src of ['https://a.test/1', 'https://a.test/2']) {
      await expect(patient.fetch(src)).rejects.toMatchObject({
        code: 'source_unavailable',
        message: expect.stringContaining('no further requests'),
        retryable: true,
        retryAfterSeconds: 120,
      });
    }
    expect(fetched).toEqual(['https://a.test/1']);
    await patient.fetch('https://b.test/1');
  });

  it('leaves a host alone that only ever times out, but not one that answers now and then', async () => {
    const timeOut = () => new EdgepressError('source_timeout', 'no answer', { retryable: true });
    const { patient, errors, fetched } = setUp({ concurrencyPerHost: 1 });
    errors.push(timeOut(), gone(), timeOut(), gone(), timeOut(), gone());
    for (let times = 0; times < 3; times++)
      await expect(patient.fetch('https://a.test/1')).rejects.toMatchObject({ code: 'source_not_found' });
    expect(fetched).toHaveLength(6);
    errors.push(timeOut(), timeOut());
    await expect(patient.fetch('https://a.test/2')).rejects.toMatchObject({ code: 'source_timeout' });
    await expect(patient.fetch('https://a.test/3')).rejects.toMatchObject({ code: 'source_timeout' });
    expect(fetched).toHaveLength(8);
  });

  it('stops waiting when it is told to', async () => {
    const { patient, errors, stop } = setUp();
    errors.push(busy(20));
    const waiting = patient.fetch('https://a.test/1');
    await turns(5);
    stop.abort(new Error('the process is ending'));
    await expect(waiting).rejects.toThrow('the process is ending');
  });
});
