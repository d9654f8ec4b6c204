import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import type { ImageHandler } from '../../src/http/image-handler.ts';
import { listen } from '../../src/http/listen.ts';
import type { Overrides } from '../../src/services.ts';
import { startHeldOrigin, startService, targetFor, until } from '../support/http/service.ts';

/** A service that listens, with Node's handler of images or with the app alone, and a source whose responses the test sends. */
async function setUp(handler: 'image handler' | 'app' = 'image handler', overrides: Overrides = {}) {
  const { origin, held, answerAll } = await startHeldOrigin();
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, overrides);
  const received = { count: 0 };
  const handleImage: ImageHandler = (...request) => {
    const isHandled = handler === 'image handler' && service.handleImage(...request);
    received.count++;
    return isHandled;
  };
  const listener = await listen(service.app, { host: '127.0.0.1', port: 0, handleImage });
  onTestFinished(() => listener.close(0));
  const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
  /** Sends a request over a connection of its own. */
  const view = () => {
    const sent = request(listener.url + target, { agent: false });
    const status = new Promise<number | 'left'>((resolve) => {
      sent.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', () => resolve('left'));
    });
    sent.end();
    return { status, leave: () => sent.destroy() };
  };
  const files = async () => (await readdir(service.folder, { recursive: true })).filter(isVariantOrRecord);
  return { service, received, held, answerAll, view, files };
}

function isVariantOrRecord(file: string): boolean {
  return file.endsWith('.jpeg') || file.endsWith('source.json');
}

describe('A viewer who leaves', () => {
  it.each(['image handler', 'app'] as const)(
    'ends the fetch, leaves nothing in the store, and is logged with 499 (%s)',
    async (handler) => {
      const { service, held, view, files } = await setUp(handler);
      const viewer = view();
      await until(() => held.length === 1);
      const closed = once(held[0] as NonNullable<(typeof held)[0]>, 'close');
      viewer.leave();
      await closed;
      const lineOf = () => service.log.find(({ msg }) => msg === 'request');
      await until(() => lineOf() !== undefined);
      expect(lineOf()).toMatchObject({ status: 499, outcome: 'abandoned' });
      await service.services.drain();
      expect(await files()).toEqual([]);
      expect(service.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    },
  );

  it('does not disturb one who asks for the same right after', async () => {
    const { held, answerAll, view, files } = await setUp();
    const first = view();
    await until(() => held.length === 1);
    first.leave();
    const second = view();
    await until(() => held.length === 2);
    answerAll();
    expect(await second.status).toBe(200);
    expect(await files()).toHaveLength(1);
  });

  it('takes nothing from others who wait for the same', async () => {
    const { service, received, held, answerAll, view } = await setUp();
    const leaving = view();
    await until(() => held.length === 1);
    const staying = view();
    await until(() => received.count === 2);
    leaving.leave();
    await until(() => service.log.some(({ status }) => status === 499));
    answerAll();
    expect(await staying.status).toBe(200);
    expect(held).toHaveLength(0);
  });

  it('leaves a variant behind that had been encoded already', async () => {
    const real = createSharpEncoder({ concurrency: 1, maxPixels: 10_000_000 });
    let finish = () => {};
    const isEncoded = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let began = false;
    const encoder: Encoder = {
      async decode(...args) {
        const image = await real.decode(...args);
        return {
          ...image,
          async encode(wanted) {
            const encoded = await image.encode(wanted);
            began = true;
            await isEncoded;
            return encoded;
          },
        };
      },
    };
    const { service, held, answerAll, view, files } = await setUp('image handler', { encoder });
    const viewer = view();
    await until(() => held.length === 1);
    answerAll();
    await until(() => began);
    viewer.leave();
    await until(() => service.log.some(({ status }) => status === 499));
    finish();
    await until(async () => (await files()).length === 1);
    expect(await view().status).toBe(200);
    expect(held).toHaveLength(0);
  });
});
