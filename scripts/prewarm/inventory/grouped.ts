import { createHash } from 'node:crypto';
import { createSpool, type Spool } from '../spool.ts';

/** An image of a unit. */
export interface GroupedImage {
  id: string;
  name: string;
  key: string;
  group?: string;
  row: number;
}

/** The images of a unit, sorted by key: an inventory may list them in another order each time. */
export type ImageGroup = readonly [GroupedImage, ...GroupedImage[]];

/**
 * Groups images by their units, in any order and number: in temp files, of which one has all images of a unit. Memory holds one such
 * part: 1/256 of the images.
 */
export interface ImageGroups {
  add(image: GroupedImage): Promise<void>;
  /** Reads all groups. Call it after the last `add`. */
  read(): AsyncGenerator<ImageGroup, void>;
  close(): Promise<void>;
}

interface Part {
  spool: Promise<Spool<GroupedImage>>;
  waiting: GroupedImage[];
}

/** Written to a part at once. */
const BATCH = 500;
/** A unit with one more is refused: further ones are not kept. */
const MAX_IMAGES = 10_001;

export function createImageGroups(): ImageGroups {
  /** By the first byte of a hash of the id. */
  const parts = new Map<number, Part>();

  async function flush({ spool, waiting }: Part): Promise<void> {
    await (await spool).add(waiting.splice(0));
  }

  return {
    async add(image) {
      const [number = 0] = createHash('sha256').update(image.id).digest();
      const part = parts.get(number) ?? { spool: createSpool<GroupedImage>(), waiting: [] };
      parts.set(number, part);
      part.waiting.push(image);
      if (part.waiting.length === BATCH) await flush(part);
    },
    async *read() {
      for (const part of parts.values()) {
        await flush(part);
        for (const group of await groupPart(await part.spool)) yield group;
      }
    },
    async close() {
      await Promise.all([...parts.values()].map(async ({ spool }) => (await spool).close()));
    },
  };
}

async function groupPart(spool: Spool<GroupedImage>): Promise<ImageGroup[]> {
  const groups = new Map<string, [GroupedImage, ...GroupedImage[]]>();
  for await (const image of spool.read()) {
    const group = groups.get(image.id);
    if (!group) groups.set(image.id, [image]);
    else if (group.length < MAX_IMAGES) group.push(image);
  }
  return [...groups.values()].map((group) => group.sort((one, other) => (one.key < other.key ? -1 : 1)));
}
