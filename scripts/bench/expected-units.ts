import type { ImageOutcome, RefusedLine } from '../../src/unit/outcome.ts';
import type { BrokenWay, ClientServer } from './broken-sources.ts';
import type { HandedUnit } from './unit-files.ts';

/** What is to be said of one image. */
export interface ExpectedImage {
  unit: string;
  src: string;
  /** `undefined`: it is good. */
  way: BrokenWay | undefined;
}

/** Units, and what is to be said of each of their images. */
export interface ExpectedUnits {
  units: readonly HandedUnit[];
  /** By source: each stands in one unit. */
  images: ReadonlyMap<string, ExpectedImage>;
}

export interface ExpectedUnitsOptions {
  origin: Pick<ClientServer, 'url'>;
  units: number;
  /** Good ones of each unit. */
  goodImages: number;
  /** One unit in so many has a broken image after its good ones. */
  brokenEvery: number;
  /** In turn. */
  ways: readonly BrokenWay[];
}

/** How many images of one way came to what they were to come to. */
export interface Row {
  right: number;
  wrong: number;
  /** The first thing that was said wrongly. */
  example?: string;
}

export function expectUnits({ origin, ways, ...options }: ExpectedUnitsOptions): ExpectedUnits {
  const { units, goodImages, brokenEvery } = options;
  const images = new Map<string, ExpectedImage>();
  const add = (unit: string, way: BrokenWay | undefined) => {
    const src = origin.url(images.size, way);
    images.set(src, { unit, src, way });
    return src;
  };
  const handed = Array.from({ length: units }, (_, index) => {
    const id = `unit-${index}`;
    const good = Array.from({ length: goodImages }, () => add(id, undefined));
    const isBroken = index % brokenEvery === 0;
    return { id, images: isBroken ? [...good, add(id, ways[(index / brokenEvery) % ways.length])] : good };
  });
  return { units: handed, images };
}

/** @returns a row for each way that was expected or said, by name */
export async function compareReport(
  lines: AsyncIterable<ImageOutcome | RefusedLine>,
  images: ReadonlyMap<string, ExpectedImage>,
): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  const note = (name: string, isRight: boolean, said: string) => {
    const row = rows.get(name) ?? { right: 0, wrong: 0 };
    rows.set(name, row);
    if (isRight) row.right++;
    else row.wrong++;
    if (!isRight) row.example ??= said;
  };
  const left = new Map(images);
  for await (const line of lines) {
    const image = 'src' in line ? left.get(line.src) : undefined;
    if (image) left.delete(image.src);
    note(image ? nameOf(image) : 'not asked for', isAsExpected(line, image), JSON.stringify(line));
  }
  for (const image of left.values()) note(nameOf(image), false, `nothing of ${image.src}`);
  return rows;
}

function isAsExpected(line: ImageOutcome | RefusedLine, image: ExpectedImage | undefined): boolean {
  if (!image || line.state === 'refused' || line.unit !== image.unit) return false;
  const { way } = image;
  if (!way) return line.state === 'ready' && line.variants.length > 0;
  return line.state === 'broken' && line.code === way.code && line.retryable === way.retryable;
}

/** What the row of an image is called. */
export function nameOf({ way }: Pick<ExpectedImage, 'way'>): string {
  return way?.name ?? 'good';
}
