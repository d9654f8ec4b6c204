import type { ImageOutcome, RefusedLine } from '../../../src/unit/outcome.ts';
import type { BrokenKind, ClientServer } from './broken-sources.ts';
import type { SubmittedUnit } from './work-files.ts';

/** An image, and whether it has to be ready or broken. */
export interface ExpectedImage {
  unit: string;
  src: string;
  /** `undefined`: a good source. */
  kind: BrokenKind | undefined;
}

/** Units to submit, and the expected outcome of each of their images. */
export interface ExpectedOutcomes {
  units: readonly SubmittedUnit[];
  /** By source URL; each source is in one unit only. */
  images: ReadonlyMap<string, ExpectedImage>;
}

export interface ExpectedOutcomesOptions {
  origin: Pick<ClientServer, 'url'>;
  units: number;
  /** Good images in each unit. */
  goodImages: number;
  /** Every so many units, one has a broken image after its good ones. */
  brokenEvery: number;
  /** Used in turn. */
  kinds: readonly BrokenKind[];
}

/** How many images of a kind were reported as expected. */
export interface OutcomeCounts {
  right: number;
  wrong: number;
  /** The first unexpected report line. */
  example?: string;
}

/** Generates units with good and broken images. */
export function generateOutcomes({
  origin,
  kinds,
  units,
  goodImages,
  brokenEvery,
}: ExpectedOutcomesOptions): ExpectedOutcomes {
  const images = new Map<string, ExpectedImage>();
  const addImage = (unit: string, kind: BrokenKind | undefined) => {
    const src = origin.url(images.size, kind);
    images.set(src, { unit, src, kind });
    return src;
  };
  const submitted = Array.from({ length: units }, (_, index) => {
    const id = `unit-${index}`;
    const good = Array.from({ length: goodImages }, () => addImage(id, undefined));
    const isBroken = index % brokenEvery === 0;
    return {
      id,
      images: isBroken ? [...good, addImage(id, kinds[(index / brokenEvery) % kinds.length])] : good,
    };
  });
  return { units: submitted, images };
}

/** Compares a report with the expected outcomes. @returns counts by the name of each kind that was expected or reported */
export async function compareReport(
  lines: AsyncIterable<ImageOutcome | RefusedLine>,
  images: ReadonlyMap<string, ExpectedImage>,
): Promise<Map<string, OutcomeCounts>> {
  const countsByKind = new Map<string, OutcomeCounts>();
  const count = (name: string, isRight: boolean, reported: string) => {
    const counts = countsByKind.get(name) ?? { right: 0, wrong: 0 };
    countsByKind.set(name, counts);
    if (isRight) counts.right++;
    else counts.wrong++;
    if (!isRight) counts.example ??= reported;
  };
  const missing = new Map(images);
  for await (const line of lines) {
    const image = 'src' in line ? missing.get(line.src) : undefined;
    if (image) missing.delete(image.src);
    count(image ? kindName(image) : 'not submitted', isAsExpected(line, image), JSON.stringify(line));
  }
  for (const image of missing.values()) count(kindName(image), false, `not reported: ${image.src}`);
  return countsByKind;
}

function isAsExpected(line: ImageOutcome | RefusedLine, image: ExpectedImage | undefined): boolean {
  if (!image || line.state === 'refused' || line.unit !== image.unit) return false;
  const { kind } = image;
  if (!kind) return line.state === 'ready' && line.variants.length > 0;
  return line.state === 'broken' && line.code === kind.code && line.retryable === kind.retryable;
}

/** The name under which an image is counted. */
export function kindName({ kind }: Pick<ExpectedImage, 'kind'>): string {
  return kind?.name ?? 'good';
}
