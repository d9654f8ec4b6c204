import { describe, expect, it } from 'vitest';
import { Abandoned, createSingleFlight } from '../../src/variant/single-flight.ts';

/** Work that stays in flight until `finish` is called, or its signal aborts. */
function heldWork() {
  let finish = () => {};
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>((resolve, reject) => {
      finish = () => resolve('done');
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { work, signals, finish: () => finish() };
}

describe('a single flight', () => {
  it('runs the work of a key once for all callers, and again after it is done', async () => {
    const singleFlight = createSingleFlight<string>();
    const [one, other] = [heldWork(), heldWork()];
    const callers = [
      singleFlight('key', undefined, one.work),
      singleFlight('key', undefined, one.work),
      singleFlight('other', undefined, other.work),
    ];
    expect([one.signals.length, other.signals.length]).toEqual([1, 1]);
    one.finish();
    other.finish();
    expect(await Promise.all(callers)).toEqual(['done', 'done', 'done']);
    expect(await singleFlight('key', undefined, async () => 'again')).toBe('again');
  });

  it('shares an error with all callers, and runs the work again for the next one', async () => {
    const singleFlight = createSingleFlight<string>();
    const fail = () => Promise.reject(new Error('broken'));
    const callers = [singleFlight('key', undefined, fail), singleFlight('key', undefined, fail)];
    await Promise.all(callers.map((caller) => expect(caller).rejects.toThrow('broken')));
    expect(await singleFlight('key', undefined, async () => 'done')).toBe('done');
  });

  it('goes on for those that stay when others leave', async () => {
    const singleFlight = createSingleFlight<string>();
    const { work, signals, finish } = heldWork();
    const first = new AbortController();
    const leaving = singleFlight('key', first.signal, work);
    const staying = singleFlight('key', new AbortController().signal, work);
    first.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    expect(signals[0]?.aborted).toBe(false);
    finish();
    expect(await staying).toBe('done');
  });

  it('goes on for a caller without a signal, whoever leaves', async () => {
    const singleFlight = createSingleFlight<string>();
    const { work, finish } = heldWork();
    const controller = new AbortController();
    const leaving = singleFlight('key', controller.signal, work);
    const staying = singleFlight('key', undefined, work);
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    finish();
    expect(await staying).toBe('done');
  });

  it('aborts the work when the last caller leaves, and starts anew for one that comes right after', async () => {
    const singleFlight = createSingleFlight<string>();
    const abandoned = heldWork();
    const controllers = [new AbortController(), new AbortController()];
    const leaving = controllers.map(({ signal }) => singleFlight('key', signal, abandoned.work));
    for (const controller of controllers) controller.abort(new Error('left'));
    const next = singleFlight('key', new AbortController().signal, async () => 'anew');
    await Promise.all(leaving.map((caller) => expect(caller).rejects.toThrow('left')));
    expect(abandoned.signals[0]?.reason).toBeInstanceOf(Abandoned);
    expect(await next).toBe('anew');
  });

  it('shares new work with later callers although abandoned work of the key ends meanwhile', async () => {
    const singleFlight = createSingleFlight<string>();
    let endAbandoned = () => {};
    const stubborn = () =>
      new Promise<string>((resolve) => {
        endAbandoned = () => resolve('too late');
      });
    const controller = new AbortController();
    const leaving = singleFlight('key', controller.signal, stubborn);
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    const { work, signals, finish } = heldWork();
    const first = singleFlight('key', undefined, work);
    endAbandoned();
    await new Promise((resolve) => setImmediate(resolve));
    const second = singleFlight('key', undefined, work);
    finish();
    expect(await Promise.all([first, second])).toEqual(['done', 'done']);
    expect(signals).toHaveLength(1);
  });
});
