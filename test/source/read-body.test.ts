import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { watchPace } from '../../src/source/body-pace.ts';
import { readBody } from '../../src/source/read-body.ts';

describe('reading a body', () => {
  it.each([4, 6])(
    'throws source_unavailable and destroys the body if 5 bytes are declared and %i are sent',
    async (bytes) => {
      const body = Readable.from([Buffer.alloc(bytes)]);
      const { signal } = new AbortController();
      const read = readBody(body, { maxBytes: 100, declaredBytes: 5, signal, from: 'images.test' });
      await expect(read).rejects.toMatchObject({ code: 'source_unavailable', retryable: true });
      expect(body.destroyed).toBe(true);
    },
  );
});

describe('a body that hardly comes', () => {
  afterEach(() => void vi.useRealTimers());

  /** Reads a body whose place comes back when the test gives it. */
  function setUp(timeoutMs = 10_000) {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const body = new PassThrough();
    const told: string[] = [];
    let [givePlace, refusePlace] = [() => {}, () => {}];
    const watcher = {
      onStall: () => void told.push('stall'),
      onAnswer: () => {
        told.push('answer');
        return new Promise<void>((resolve, reject) => {
          givePlace = resolve;
          refusePlace = () => reject(new Error('the wait is too long'));
        });
      },
    };
    const from = 'images.test';
    watchPace(body, { watcher, timeoutMs, from });
    const read = readBody(body, { maxBytes: 10_000_000, signal: new AbortController().signal, from });
    read.catch(() => {});
    /** Sends bytes, which are read, and lets a second pass. */
    async function send(bytes: number): Promise<void> {
      body.write(Buffer.alloc(bytes));
      await new Promise(setImmediate);
      vi.advanceTimersByTime(1000);
    }
    return { body, told, read, send, givePlace: () => givePlace(), refusePlace: () => refusePlace() };
  }

  it('gives its place to others once, is read on, and needs none for its end', async () => {
    const { body, told, read, send } = setUp();
    for (const bytes of [5000, 4095, 1, 5000, 1]) await send(bytes);
    expect(told).toEqual(['stall']);
    body.end();
    expect((await read).byteLength).toBe(14_097);
  });

  it('waits for a place before it has more than 256 KiB in memory, for as long as it takes', async () => {
    const { body, told, read, send, givePlace } = setUp();
    await send(1);
    await send(262_144);
    expect(told).toEqual(['stall', 'answer']);
    for (let seconds = 0; seconds < 9; seconds++) await send(1);
    expect([body.isPaused(), told.length]).toEqual([true, 2]);
    givePlace();
    await new Promise(setImmediate);
    body.end();
    expect((await read).byteLength).toBe(262_154);
  });

  it('ends if it gets no place any more', async () => {
    const { body, read, send, refusePlace } = setUp();
    await send(1);
    await send(262_144);
    refusePlace();
    await expect(read).rejects.toThrow('the wait is too long');
    expect(body.destroyed).toBe(true);
  });

  it('ends with source_timeout if it has sent more, and stops for a quarter of the timeout', async () => {
    const { body, told, read, send } = setUp(8000);
    await send(262_145);
    await send(4095);
    await send(4096);
    await send(0);
    await send(4095);
    expect([told, body.destroyed]).toEqual([[], true]);
    await expect(read).rejects.toMatchObject({ code: 'source_timeout', retryable: true });
    expect(vi.getTimerCount()).toBe(0);
  });
});
