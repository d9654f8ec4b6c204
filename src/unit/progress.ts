import { VARIANT_METADATA } from '../protocol/metadata.ts';
import { decodeWorkStart } from '../protocol/work-start.ts';
import type { ImageInventory } from './inventory.ts';
import { type Manifest, startOfManifest } from './manifest.ts';
import {
  type BrokenStatus,
  type ReadyStatus,
  readImages,
  readManifest,
  type StatusServices,
} from './status.ts';
import type { UnitStates } from './unit-states.ts';

/** What the work on the last submission of a unit has led to so far. */
export interface UnitProgress {
  images: readonly ImageProgress[];
}

/** `skipped`: all variants were there before, and none was made again. */
export type ImageProgress = { src: string; name?: string } & (
  | (ReadyStatus & { skipped: boolean })
  | BrokenStatus
  | { state: 'pending' }
);

/**
 * Returns how far the work on a unit is that another process does; `undefined` when there is no manifest of it. An image whose variants were
 * all there before is pending until the work on the unit has ended: they may be made again.
 *
 * @throws the error of the store
 */
export type ReadProgress = (id: string) => Promise<UnitProgress | undefined>;

export interface ProgressServices extends StatusServices {
  states: Pick<UnitStates, 'hasResult'>;
}

export function createReadProgress(services: ProgressServices): ReadProgress {
  const { states } = services;
  return async (id) => {
    const manifest = await readManifest(services, id);
    if (!manifest) return undefined;
    let images = await readImages(services, manifest);
    const wasThere = (image: FollowedImage) =>
      image.status.state === 'ready' && !isMadeFor(manifest, image.inventory);
    const hasEnded = images.some(wasThere) && (await states.hasResult(manifest));
    // What was read may be older than the end of the work.
    if (hasEnded) images = await readImages(services, manifest);
    return { images: images.map((image) => toProgress(image, wasThere(image), hasEnded)) };
  };
}

type FollowedImage = Awaited<ReturnType<typeof readImages>>[number];

/** Returns whether the work on this submission has made any of the variants. */
function isMadeFor(manifest: Manifest, { found }: ImageInventory): boolean {
  const { atMs } = startOfManifest(manifest);
  return found.some(
    ({ info: { metadata } }) => decodeWorkStart(metadata[VARIANT_METADATA.startedAt])?.atMs === atMs,
  );
}

function toProgress({ status }: FollowedImage, wasThere: boolean, hasEnded: boolean): ImageProgress {
  if (status.state !== 'ready') return status;
  if (!wasThere || hasEnded) return { ...status, skipped: wasThere };
  const { src, name } = status;
  return { src, ...(name !== undefined && { name }), state: 'pending' };
}
