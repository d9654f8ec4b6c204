import { z } from 'zod';
import { CLIENT_NAMES } from '../../unit/client-profiles.ts';
import { MAX_IMAGES, MAX_NAME_LENGTH, sourceText, unitSchema } from '../../unit/parse-unit.ts';

const { id, widths, tiers, formats, for: clients, group, maxBytes } = unitSchema.shape;

/** The text that stands for no image: it is broken, the others of its unit are not affected. */
const source = z.union([sourceText, z.null()]);

/**
 * A unit as it is sent: `parseUnit` brings its id and images into one form, and validates the rest with the same schemas.
 *
 * Further fields are ignored, unless they look like misspelt ones, so they are not forbidden here.
 */
export const sentUnitSchema = z.looseObject({
  id: z.union([id, z.int()]).describe('A whole number is as good as its digits.'),
  images: z
    .union([
      z.array(source).min(1).max(MAX_IMAGES),
      z.record(z.string().max(MAX_NAME_LENGTH), source).describe('By name.').meta({ minProperties: 1 }),
      sourceText,
    ])
    .describe(
      'URLs: a list, an object of name → URL, or one. `key_urls_map` is the same. One that is null or empty is broken.',
    ),
  widths: widths.describe('Default: `PREWARM_WIDTHS`. Each goes up to the next rung of `WIDTHS`.'),
  tiers: tiers.describe('Default: `PREWARM_TIERS`.'),
  formats: formats.describe('Default: `PREWARM_FORMATS`. All combinations are made.'),
  for: clients.describe(
    `Which clients the images are for, which adds what they ask for: ${CLIENT_NAMES.join(', ')}, with the widths of their screens, as in \`android-app:720\`.`,
  ),
  maxBytes: maxBytes.describe(
    'A budget of each variant, in bytes: it gets less quality, down to that of `saver`.',
  ),
  group: group.describe('The client or batch that it belongs to, by which it can be purged with others.'),
});
