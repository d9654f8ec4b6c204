import { z } from 'zod';
import type { Invalidation } from '../../cdn/cdn.ts';
import type { CompletedUnit, FailedUnit } from '../../notify/unit-event.ts';
import type { ErrorCode } from '../../protocol/error.ts';
import { UNIT_STATES } from '../../protocol/keys.ts';
import { FORMATS, TIERS } from '../../protocol/request.ts';
import type { PurgedUnit } from '../../purge/purge.ts';
import type { AskedUnit } from '../../unit/asked.ts';
import type { RefusedLine } from '../../unit/outcome.ts';
import type { PurgedGroup } from '../../unit/purge-group.ts';
import type { BrokenStatus, UnitStatus } from '../../unit/status.ts';
import type { WantedVariants } from '../../unit/unit.ts';
import type { ListedUnit } from '../../unit/unit-states.ts';
import type { UnsentUnit } from '../../unit/unsent.ts';
import type { IngestReport } from '../ingest-units.ts';
import { ERROR_CODES, problemSchema } from './problem-responses.ts';

// What the routes of units and the webhooks send, for the description of the API. The compiler holds each schema to the type that the
// code answers with; tests hold real answers to the schemas.

// That a number is one that JavaScript can keep goes without saying, and the format says what a pattern of 200 characters would.
const whole = z.int().meta({ minimum: undefined, maximum: undefined });
const positive = z.int().min(1).meta({ maximum: undefined });
const count = z.int().min(0).meta({ maximum: undefined });
const time = z.iso.datetime().meta({ pattern: undefined });
const code = z.enum(Object.keys(ERROR_CODES) as ErrorCode[]).describe('An error code.');
const retryable = z.boolean().describe('Whether it may work later without a change by anyone.');

const variantSpec = {
  width: positive.describe('A rung of the ladder. The image may be narrower or wider.'),
  tier: z.enum(TIERS),
  format: z.enum(FORMATS),
};
const variantSummary = {
  ...variantSpec,
  type: z.string().describe('The content type, such as `image/webp` for an animation in `avif`.'),
  bytes: count,
  overBudget: z
    .literal(true)
    .exactOptional()
    .describe('It has more bytes than `maxBytes`, though its quality is that of `saver`.'),
  effort: z.string().describe('`fast` on a first request, `best` in prewarm.'),
};
const broken = {
  state: z.literal('broken'),
  code,
  detail: z.string(),
  since: time.describe('When it was first found broken.'),
  retryable,
  nextAttempt: time.describe('It is not tried again before.'),
} satisfies Record<keyof BrokenStatus, z.ZodType>;
const image = {
  src: z.string().describe('As it was sent.'),
  name: z.string().exactOptional().describe('The name that the unit gives it.'),
};
const totals: z.ZodType<UnitStatus['totals']> = z.object({
  ready: count.describe('How many images; so are `broken` and `pending`.'),
  broken: count,
  pending: count,
  sourceBytes: count.describe('Of the originals of images that are ready.'),
  bytes: count.describe('Of all variants of images that are ready.'),
});

const storedVariant = z.object({
  url: z.url().describe('Signed, if there is a signing key.'),
  ...variantSummary,
});
const sourceBytes = count.describe('Of the original.');

export const unitStatusSchema: z.ZodType<UnitStatus> = z.object({
  id: z.string(),
  images: z.array(
    z.discriminatedUnion('state', [
      z.object({ ...image, state: z.literal('ready'), sourceBytes, variants: z.array(storedVariant) }),
      z.object({ ...image, ...broken }),
      z.object({ ...image, state: z.literal('pending') }),
    ]),
  ),
  totals,
});

const hash = z.string().describe('The hash of the source, as in the keys of the store.');
export const unsentUnitSchema: z.ZodType<UnsentUnit> = z
  .object({
    id: z.string(),
    state: z.literal('unsent'),
    images: z.array(
      z.discriminatedUnion('state', [
        z.object({
          source: hash,
          state: z.literal('ready'),
          sourceBytes,
          variants: z.array(z.object(variantSummary)),
        }),
        z.object({ source: hash, ...broken }),
      ]),
    ),
    totals,
  })
  .describe('What viewers have asked for of a unit that was never sent, or was purged since.');

const wantedVariants: z.ZodType<WantedVariants> = z.object({
  widths: z.array(positive),
  tiers: z.array(z.enum(TIERS)),
  formats: z.array(z.enum(FORMATS)),
});

export const askedUnitSchema: z.ZodType<AskedUnit> = z.object({
  id: z.string(),
  prewarm: wantedVariants
    .describe('What prewarm makes of each image. Absent: the unit was never sent.')
    .exactOptional(),
  variants: z.array(
    z.object({
      ...variantSpec,
      images: count.describe('How many images have it.'),
      state: z
        .enum(['prewarmed', 'asked', 'formerly prewarmed', 'other source'])
        .describe('`asked`: a viewer asked for it, and prewarm does not make it.'),
    }),
  ),
  covering: wantedVariants
    .describe('The fewest settings that cover what was asked for as well. Absent: nothing is missing.')
    .exactOptional(),
});

const listedUnit: z.ZodType<ListedUnit> = z.object({
  id: z.string(),
  since: time.describe('Since when it is in this state.'),
});

export const unitPageSchema = z.object({
  state: z.enum(UNIT_STATES),
  units: z.array(listedUnit),
  next: z
    .string()
    .exactOptional()
    .describe('The `after` of the next page. Go on until it is absent, also after a page with fewer units.'),
});

const refusedLine: z.ZodType<RefusedLine> = z.object({
  line: positive.describe('Counted from 1, blank lines included.'),
  item: positive.exactOptional().describe('In a JSON array: which entry.'),
  unit: z.string().exactOptional().describe('The id of the unit, as far as it can be told.'),
  state: z.literal('refused'),
  detail: z.string().describe('Why.'),
});

const ingestReport = {
  accepted: count.describe('Units that are stored and queued.'),
  images: count.describe('Images of these units.'),
  refusedCount: count,
  refused: z.array(refusedLine).describe('The first 10,000 refused lines.'),
  notes: z
    .array(z.string())
    .exactOptional()
    .describe('What else is to be said, such as fields that were ignored.'),
} satisfies Record<keyof IngestReport, z.ZodType>;
export const ingestReportSchema: z.ZodType<IngestReport> = z.object(ingestReport);
export const ingestProblemSchema = problemSchema
  .extend(ingestReport)
  .describe('A problem document with the report.');

const invalidation: z.ZodType<Invalidation> = z.object({
  id: z.string().describe("The CDN's id for it."),
  tags: count.describe('How many tags it has.'),
  cdn: z.string().exactOptional().describe('Which one of several CDNs.'),
});
const told = {
  invalidations: z.array(invalidation).describe('Those that a CDN accepted.'),
  notTold: z.string().exactOptional().describe('Set when no cache was told: purge the cache tags there.'),
};
const purgedUnit = {
  id: z.string(),
  purgedAt: time.describe('What began before is gone.'),
  cacheTag: z.string().describe('The tag that the copies in a cache have.'),
  objects: count.describe('How many objects were removed from the store.'),
  bytes: count,
} satisfies Record<keyof PurgedUnit, z.ZodType>;

export const purgeOfUnitSchema = z.object({ ...purgedUnit, ...told });
export const purgeOfUnitsSchema = z.object({ units: z.array(z.object(purgedUnit)), ...told });
export const purgeOfGroupSchema: z.ZodType<PurgedGroup & { notTold?: string }> = z.object({
  group: z.string(),
  units: count,
  objects: count,
  bytes: count,
  cacheTags: z
    .array(z.string())
    .describe('That of the group, and that of each unit with variants that do not carry it.'),
  ...told,
});

export const healthSchema = z.object({
  status: z.literal('ok'),
  storeFaults: z.record(z.string(), count).describe('How often the store failed so far, by operation.'),
});
export const readinessSchema = z.object({
  status: z.enum(['ready', 'not ready']),
  draining: z.boolean().describe('Whether the server is shutting down.'),
  checks: z.record(z.string(), z.enum(['ok', 'failed', 'timeout'])).describe('By part: `store`, `queue`.'),
});

const submission = {
  unit: z.string(),
  submittedAt: time.describe(
    'When the unit was sent: of two events about one unit, the one of the later submission counts.',
  ),
};
const completed: z.ZodType<CompletedUnit> = z.object({
  ...submission,
  ready: count.describe('How many images.'),
  broken: count.describe('How many images. 0: all is there.'),
  brokenImages: z
    .array(z.object({ ...image, code, retryable }))
    .describe('The first of them, 16 kB at most.'),
  brokenLeftOut: count.describe('How many more there are.'),
  bytes: count.describe('Of all variants of images that are ready.'),
  sourceBytes: count.describe('Of their originals.'),
  saved: whole.describe('By how much these exceed the largest variant of each.'),
});
const failed: z.ZodType<FailedUnit> = z.object({
  ...submission,
  detail: z.string().describe('Why, for an operator.'),
});
const event = {
  id: z.string().describe('The same each time this event is sent: drop what you have seen.'),
  timestamp: time,
};
export const completedEventSchema = z.object({
  ...event,
  type: z.literal('unit.completed'),
  data: completed,
});
export const failedEventSchema = z.object({ ...event, type: z.literal('unit.failed'), data: failed });
