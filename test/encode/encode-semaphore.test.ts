import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createEncodeSemaphore } from '../../src/encode/encode-semaphore.ts';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { createLocks } from '../../src/locks.ts';
import { photograph } from '../support/pictures.ts';

function request(wanted: Partial<EncodeRequest> = {}): EncodeRequest {
  return { width: 480, tier: 'balanced', format: 'webp', effort: 'fast', ...wanted };
}

describe('the encode semaphore', () => {
  const createEncoder = () => createSharpEncoder({ concurrency: 1, maxPixels: 40_000_000 });

  it('encodes for a viewer before encodes that wait for prewarm', async () => {
    const encoder = createEncoder();
    const source = await photograph();
    const prewarmed = await encoder.decode(source, 480, 'prewarm');
    const viewed = await encoder.decode(source, 480, 'viewer');
    const done: string[] = [];
    const note = (name: string) => () => done.push(name);
    await Promise.all([
      prewarmed.encode(request({ width: 101 })).then(note('prewarm')),
      prewarmed.encode(request({ width: 102 })).then(note('prewarm')),
      prewarmed.encode(request({ width: 103 })).then(note('prewarm')),
      viewed.encode(request({ width: 104 })).then(note('viewer')),
    ]);
    // The first encode of prewarm may have started before the viewer's was queued.
    expect(done.slice(-2)).toEqual(['prewarm', 'prewarm']);
  });

  it('decodes for a viewer before decodes that wait for prewarm', async () => {
    const encoder = createEncoder();
    const source = await sharp(await photograph())
      .resize(2000)
      .png()
      .toBuffer();
    const done: string[] = [];
    const decode = async (urgency: 'viewer' | 'prewarm') => {
      await encoder.decode(source, 160, urgency);
      done.push(urgency);
    };
    const waiting = Array.from({ length: 8 }, () => decode('prewarm'));
    await Promise.race(waiting);
    await Promise.all([...waiting, decode('viewer')]);
    expect(done.at(-1)).toBe('prewarm');
  });

  it('gives slow decodes one permit at most, so that others do not wait for them', async () => {
    const semaphore = createEncodeSemaphore(2);
    const decode = { kind: 'decode', urgency: 'viewer', decodeBytes: 1 } as const;
    const done: string[] = [];
    let finishSlow = () => {};
    const slowWork = new Promise<void>((resolve) => {
      finishSlow = resolve;
    });
    const slow = [1, 2, 3].map(() =>
      semaphore.runWithPermit({ ...decode, isSlow: true }, async () => {
        await slowWork;
        done.push('slow');
      }),
    );
    await semaphore.runWithPermit(decode, async () => done.push('quick'));
    expect(done).toEqual(['quick']);
    finishSlow();
    await Promise.all(slow);
    expect(done).toEqual(['quick', 'slow', 'slow', 'slow']);
  });

  it('gives the next permit to a viewer, whichever process has waited longer for prewarm', async () => {
    const locks = createLocks();
    const [one, other] = [createEncodeSemaphore(1, locks), createEncodeSemaphore(1, locks)];
    const done: string[] = [];
    const request = (urgency: 'viewer' | 'prewarm') => ({ kind: 'encode', urgency, decodeBytes: 0 }) as const;
    const note = (name: string) => async () => done.push(name);
    await Promise.all([
      one.runWithPermit(request('prewarm'), note('first')),
      one.runWithPermit(request('prewarm'), note('prewarm')),
      other.runWithPermit(request('prewarm'), note('prewarm')),
      one.runWithPermit(request('viewer'), note('viewer')),
    ]);
    expect(done).toEqual(['first', 'viewer', 'prewarm', 'prewarm']);
  });

  it('gives up the wait for a permit when the signal aborts, and passes the permit on', async () => {
    const encoder = createEncoder();
    const source = await photograph();
    const controller = new AbortController();
    const [first, abandoned, next] = [undefined, controller.signal, undefined].map((signal) =>
      encoder.decode(source, 480, 'viewer', signal),
    );
    controller.abort(new Error('left'));
    await expect(abandoned).rejects.toThrow('left');
    await Promise.all([first, next]);
  });

  it('encodes nothing more of an image whose signal has aborted', async () => {
    const encoder = createEncoder();
    const controller = new AbortController();
    const image = await encoder.decode(await photograph(), 480, 'viewer', controller.signal);
    controller.abort(new Error('left'));
    await expect(image.encode(request())).rejects.toThrow('left');
  });

  it('does not let a viewer wait for prewarm that is running', async () => {
    const semaphore = createEncodeSemaphore(2);
    const request = (urgency: 'viewer' | 'prewarm') => ({ kind: 'encode', urgency, decodeBytes: 0 }) as const;
    let finish = () => {};
    const running = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const prewarm = [1, 2].map(() => semaphore.runWithPermit(request('prewarm'), () => running));
    expect(await semaphore.runWithPermit(request('viewer'), async () => 'at once')).toBe('at once');
    finish();
    await Promise.all(prewarm);
  });

  it('encodes the variants of one image before it decodes the next', async () => {
    const encoder = createEncoder();
    const source = await photograph();
    const done: string[] = [];
    const makeVariants = async () => {
      const image = await encoder.decode(source, 480, 'prewarm');
      done.push('decoded');
      // Callers take some microtasks between the decode and the encodes.
      for (let tick = 0; tick < 20; tick++) await undefined;
      await Promise.all([image.encode(request()), image.encode(request({ width: 160 }))]);
      done.push('encoded');
    };
    await Promise.all([makeVariants(), makeVariants(), makeVariants()]);
    expect(done).toEqual(['decoded', 'encoded', 'decoded', 'encoded', 'decoded', 'encoded']);
  });
});
