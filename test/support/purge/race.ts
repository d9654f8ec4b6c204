import type { Encoder } from '../../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../../src/encode/sharp-encoder.ts';
import { createFileStore } from '../../../src/store/file-store.ts';
import type { Unit } from '../../../src/unit/unit.ts';
import {
  type Origin,
  type Service,
  startOrigin,
  startService,
  targetFor,
  temporaryFolder,
} from '../http/service.ts';
import { photograph } from '../pictures.ts';
import { createHold, type Hold, holdStore, type StoreStep } from '../store/held-store.ts';

export const UNIT = 'unit-1';

/** Keys, to hold a store at. */
export const VARIANT = /^v1\/.*\.(avif|webp|jpeg)$/;
export const SOURCE_RECORD = /source\.json$/;
export const MANIFEST = /manifest\.json$/;
export const TOMBSTONE = /^purged\/[0-9a-f]{32}$/;
export const UNIT_FOLDER = /^v1\/[0-9a-f]{2}\/unit-1$/;

/** A client's server, a folder, and a service on it that purges, beside the one whose work is held. */
export interface PurgeRace {
  origin: Origin;
  folder: string;
  env: Record<string, string>;
  /** The clock of all services. Each call returns a later time, so that the order of events is the order of their times. */
  nowMs: () => number;
  other: Service;
  purge: () => Promise<unknown>;
}

export async function setUpRace(): Promise<PurgeRace> {
  const photo = await photograph();
  const origin = await startOrigin((request, response) => {
    if (request.url === '/gone.jpg') response.writeHead(404).end();
    else response.end(photo);
  });
  const folder = await temporaryFolder();
  const env = { STORE: `file:${folder}`, SOURCE_ALLOW_PRIVATE: origin.authority };
  const nowMs = createIncreasingClock();
  const other = await startService(env, { nowMs });
  return { origin, folder, env, nowMs, other, purge: () => other.unitServices.units.purge([UNIT]) };
}

function createIncreasingClock(): () => number {
  let lastMs = 0;
  return () => {
    lastMs = Math.max(Date.now(), lastMs + 1);
    return lastMs;
  };
}

/** Starts a service on the same folder whose store is held at a step. */
export async function startHeldService(
  { env, nowMs, folder }: PurgeRace,
  step: StoreStep,
): Promise<Service & { hold: Hold }> {
  const { store, hold } = holdStore(createFileStore({ root: folder }), step);
  return { ...(await startService(env, { store, nowMs })), hold };
}

/** Work of a service that can be in flight when a unit is purged. */
export type Work = (service: Service, origin: Origin) => Promise<unknown>;

/** A request for a variant of the unit. */
export const requestOf =
  (path: string): Work =>
  async (service, origin) =>
    service.request(targetFor(`${origin.url}${path}`, { width: 160 }));

export const unitOf = (origin: Origin, path: string): Unit => ({
  id: UNIT,
  images: [{ src: `${origin.url}${path}` }],
  widths: [160],
  tiers: ['balanced'],
  formats: ['avif', 'webp'],
});

/** Submits the unit and does its job. */
export const prewarmOf =
  (path: string): Work =>
  async ({ unitServices: { units } }, origin) => {
    const job = await units.submit(unitOf(origin, path), { retry: false });
    // It fails when it finds that what it made was purged.
    await units.prewarm(job, () => {}).catch(() => {});
  };

/**
 * Runs work up to its hold, purges the unit in the other service, and lets the work finish.
 *
 * @param overrides - of the services that do the work: what is held
 */
export async function purgeDuring(race: PurgeRace, work: Work, hold: Hold, overrides: object): Promise<void> {
  const service = await startService(race.env, { nowMs: race.nowMs, ...overrides });
  const done = work(service, race.origin);
  await Promise.race([
    hold.reached,
    done.then(() => Promise.reject(new Error('the work never reached its hold'))),
  ]);
  await race.purge();
  hold.release();
  await done;
}

/** Does the work on a store that is held at a step, and purges the unit meanwhile. */
export async function purgeAtStoreStep(work: Work, step: StoreStep): Promise<PurgeRace> {
  const race = await setUpRace();
  const { store, hold } = holdStore(createFileStore({ root: race.folder }), step);
  await purgeDuring(race, work, hold, { store });
  return race;
}

export function createEncoder(): Encoder {
  return createSharpEncoder({ concurrency: 1, maxPixels: 10_000_000 });
}

/** An encoder that is held before it decodes, or before it encodes. */
export function holdEncoder(step: 'decode' | 'encode'): { encoder: Encoder; hold: Hold } {
  const real = createEncoder();
  const hold = createHold();
  const encoder: Encoder = {
    async decode(...args) {
      if (step === 'decode') await hold.pass();
      const image = await real.decode(...args);
      return {
        ...image,
        async encode(request) {
          if (step === 'encode') await hold.pass();
          return await image.encode(request);
        },
      };
    },
  };
  return { encoder, hold };
}
