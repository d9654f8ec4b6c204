import { FORMATS, type Format, type Tier } from '../protocol/request.ts';

/** What an app needs to know of a unit. It is plain data, which can be sent on as JSON. */
export interface Unit {
  id: string;
  /** In the order in which the unit has them. */
  images: UnitImage[];
}

/** One image of a unit. */
export type UnitImage = { src: string; name?: string } & (
  | {
      state: 'ready';
      /** The URLs of what is stored, by format and width: `urls.webp?.[720]`. */
      urls: UnitUrls;
    }
  | {
      state: 'broken';
      /** A stable name of the reason, such as `source_not_found`. */
      code: string;
      /** The reason in words. */
      reason: string;
      /** Whether it may work later; not before `nextAttempt` (ISO 8601). */
      retryable: boolean;
      nextAttempt?: string;
    }
  | { state: 'pending' }
);

export type UnitUrls = { [format in Format]?: Record<number, string> };

/** Which of the tiers that a unit has. */
export interface ReadUnitOptions {
  /** Default: `balanced` where an image has it, else the first that it has. */
  tier?: Tier | undefined;
}

/**
 * Turns the answer of `GET /units/{id}`, or a line of `edgepress status --json`, into what an app needs: by image, the URLs by format and
 * width, or why it is broken.
 *
 * @param answer - the parsed JSON
 * @throws TypeError if it is something else; the message has what the service said, if it said why
 */
export function readUnit(answer: unknown, { tier }: ReadUnitOptions = {}): Unit {
  if (typeof answer === 'string') throw notAUnit('a text, which has to be parsed as JSON');
  if (!isRecord(answer)) throw notAUnit('no object');
  const { code, detail, id, images, state } = answer;
  if (typeof code === 'string') throw notAUnit(`${code}: ${detail ?? ''}`);
  if (state === 'unsent') throw notAUnit('the unit was never sent, or was purged since');
  if (typeof id !== 'string' || !Array.isArray(images)) throw notAUnit('it has no `id` or no `images`');
  return { id, images: images.map((image, index) => readImage(image, `images[${index}]`, tier)) };
}

function readImage(image: unknown, where: string, tier: Tier | undefined): UnitImage {
  if (!isRecord(image) || typeof image['src'] !== 'string') throw notAUnit(`${where} has no \`src\``);
  const { src, name, state, code, detail, retryable, nextAttempt } = image;
  const common = { src, ...(typeof name === 'string' && { name }) };
  switch (state) {
    case 'ready':
      return { ...common, state, urls: urlsOf(readVariants(image['variants'], where), tier) };
    case 'broken':
      if (typeof code !== 'string' || typeof detail !== 'string')
        throw notAUnit(`${where} is broken and has no code or no detail`);
      return {
        ...common,
        state,
        code,
        reason: detail,
        retryable: retryable === true,
        ...(typeof nextAttempt === 'string' && { nextAttempt }),
      };
    case 'pending':
      return { ...common, state };
    default:
      throw notAUnit(`${where} has the unknown state ${JSON.stringify(state)}`);
  }
}

interface Variant {
  url: string;
  width: number;
  tier: string;
  format: Format;
}

function readVariants(variants: unknown, where: string): Variant[] {
  if (!Array.isArray(variants) || !variants.every(isVariant))
    throw notAUnit(`the variants of ${where} have no url, width, tier or format`);
  return variants;
}

function isVariant(variant: unknown): variant is Variant {
  return (
    isRecord(variant) &&
    typeof variant['url'] === 'string' &&
    typeof variant['width'] === 'number' &&
    typeof variant['tier'] === 'string' &&
    FORMATS.some((format) => format === variant['format'])
  );
}

function urlsOf(variants: readonly Variant[], wanted: Tier | undefined): UnitUrls {
  const tiers = variants.map(({ tier }) => tier);
  const tier = wanted ?? (tiers.includes('balanced') ? 'balanced' : tiers[0]);
  const urls: UnitUrls = {};
  for (const variant of variants) {
    if (variant.tier !== tier) continue;
    urls[variant.format] = { ...urls[variant.format], [variant.width]: variant.url };
  }
  return urls;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notAUnit(why: string): TypeError {
  return new TypeError(`this is not the answer of GET /units/{id}: ${why}`);
}
