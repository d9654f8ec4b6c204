import { InvalidImageUrl, imageUrl } from '../../client/image-url.ts';
import { IMAGE_TYPES } from '../../decode/image-type.ts';
import type { PlaygroundForm, TryProblem } from '../../pages/playground.tsx';
import { snippetsFor } from '../../pages/snippets.ts';
import { adviceFor } from '../../pages/source-advice.ts';
import type { MadeVariant, OriginalFacts, TriedImage, TriedVariant } from '../../pages/tried-image.ts';
import { EdgepressError } from '../../protocol/error.ts';
import { VARIANT_METADATA } from '../../protocol/metadata.ts';
import type { Ladder } from '../../protocol/negotiation.ts';
import { FORMATS, type Format, TIERS, type Tier } from '../../protocol/request.ts';
import type { SigningKey } from '../../protocol/signature.ts';
import type { GetVariant, Variant } from '../../variant/get-variant.ts';
import { createTrace } from '../../variant/trace.ts';
import { sourceBytes } from '../../variant/variant-object.ts';
import { CACHE_STATUS, serverTiming } from '../image-headers.ts';

export interface TryOptions {
  getVariant: GetVariant;
  ladder: Ladder;
  /** The first one signs. */
  signingKeys: readonly SigningKey[];
  /** Where callers reach the service. */
  baseUrl: string;
}

/** The format that is made first, and shown. */
const FIRST_FORMAT: Format = 'avif';

/** The URL names all that would otherwise be negotiated. */
const NO_HINTS = { accept: undefined, saveData: undefined, host: undefined };

/** Content types that every browser of today shows. */
const DISPLAYABLE: readonly string[] = (
  ['jpeg', 'png', 'apng', 'gif', 'webp', 'avif', 'bmp', 'ico'] as const
).map((type) => IMAGE_TYPES[type].contentType);

/** Returns whether browsers show a content type. */
export function isDisplayable(contentType: string): boolean {
  return DISPLAYABLE.includes(contentType);
}

/**
 * Makes the first variant of an image, and returns what the playground shows of it; or why there is none.
 *
 * @param viewer - see `GetVariant`
 */
export async function tryImage(
  options: TryOptions,
  form: PlaygroundForm,
  viewer: () => AbortSignal,
): Promise<{ tried: TriedImage } | { problem: TryProblem }> {
  try {
    return { tried: await tryValidImage(options, form, viewer) };
  } catch (error) {
    if (error instanceof InvalidImageUrl) {
      // It names the parts as code does.
      const detail = error.message.replaceAll('`', '');
      return { problem: { ...adviceFor('bad_request'), detail } };
    }
    if (!(error instanceof EdgepressError)) throw error;
    return { problem: { ...adviceFor(error.code), detail: error.message } };
  }
}

async function tryValidImage(
  { getVariant, ladder, signingKeys, baseUrl }: TryOptions,
  form: PlaygroundForm,
  viewer: () => AbortSignal,
): Promise<TriedImage> {
  const { unit, src, width, tier } = form;
  const [key] = signingKeys;
  const targetOf = (wanted: { width: number; tier: Tier; format: Format }) =>
    imageUrl({ baseUrl: '', unit, src, ...wanted }, key);
  const trace = createTrace();
  const first = targetOf({ width, tier, format: FIRST_FORMAT });
  const variant = await getVariant(first, NO_HINTS, trace, viewer);
  const made: MadeVariant = {
    ...{ bytes: variant.object.bytes, type: variant.object.contentType, serverTiming: serverTiming(trace) },
    cacheStatus: CACHE_STATUS[variant.origin],
  };
  const source = originalFacts(variant);
  const variants: TriedVariant[] = TIERS.flatMap((each) =>
    FORMATS.map((format) => {
      const path = targetOf({ width, tier: each, format });
      return { tier: each, format, path, url: baseUrl + path, made: path === first ? made : undefined };
    }),
  );
  const widest = targetOf({ width: ladder.widths.at(-1) ?? width, tier: 'high', format: 'webp' });
  const image = { baseUrl, unit, src, width, widths: widthsNear(width, ladder), tier, source };
  return {
    source,
    originalUrl: source.isDisplayable ? `/playground/original?src=${encodeURIComponent(src)}` : widest,
    variants,
    url: baseUrl + first,
    isSigned: key !== undefined,
    snippets: snippetsFor(image, key),
  };
}

/** What was learned of the original when the variant was made. */
function originalFacts({ object }: Variant): OriginalFacts {
  const { [VARIANT_METADATA.sourceType]: type = '', [VARIANT_METADATA.sourceSize]: size = '' } =
    object.metadata;
  const [width = 1, height = 1] = size.split('x').map(Number);
  return { bytes: sourceBytes(object), type, width, height, isDisplayable: isDisplayable(type) };
}

/** Returns the rungs from half of a width to its double: for screens of other sizes and densities. */
function widthsNear(width: number, { widths }: Ladder): number[] {
  return widths.filter((rung) => 2 * rung >= width && rung <= 2 * width);
}
