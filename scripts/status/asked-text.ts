import { type AskedUnit, type AskedVariant, coveringOf, mergeVariants } from '../../src/unit/asked.ts';
import { clientsFor } from '../../src/unit/client-profiles.ts';
import type { WantedVariants } from '../../src/unit/unit.ts';
import { counted, formatTable } from '../cli/text.ts';

/** What was asked for of several units, added up. */
export interface AskedTotals {
  add(unit: AskedUnit): void;
  /** A line for each width, tier and format, and the setting that covers what is not prewarmed; `undefined` before the first unit. */
  text(): string | undefined;
}

const WORDS: Readonly<Record<AskedVariant['state'], string>> = {
  prewarmed: 'prewarmed',
  asked: 'asked for, not prewarmed',
  'formerly prewarmed': 'prewarmed with other settings than now',
  'other source': 'asked for with a source URL that the unit does not have',
};
const NOTE =
  'Whether viewers ask for what is prewarmed is not known here: a CDN answers them without asking the store.';

/** Adds up what was asked for of units, however many. */
export function createAskedTotals(): AskedTotals {
  let units = 0;
  let variants: AskedVariant[] = [];
  let made: WantedVariants = { widths: [], tiers: [], formats: [] };
  return {
    add({ prewarm, variants: more }) {
      units++;
      variants = mergeVariants([...variants, ...more]);
      if (prewarm) made = coveringOf(made, combinationsOf(prewarm));
    },
    text() {
      if (units === 0) return undefined;
      const rows = variants.map(({ width, tier, format, images, state }) => [
        ...[String(width), tier, format, counted(images, 'image'), WORDS[state]],
      ]);
      const table = formatTable(rows, ['number', 'text', 'text', 'number', 'text']);
      return [`${counted(units, 'unit')}:`, ...table, '', ...adviceFor(made, variants), NOTE].join('\n');
    },
  };
}

function adviceFor(made: WantedVariants, variants: readonly AskedVariant[]): string[] {
  const missing = variants.filter(({ state }) => state === 'asked');
  if (missing.length === 0) return ['Nothing was asked for that is not prewarmed.'];
  const covering = coveringOf(made, missing);
  const clients = clientsFor(covering);
  const count = (wanted: WantedVariants) =>
    wanted.widths.length * wanted.tiers.length * wanted.formats.length;
  const { widths, tiers, formats } = covering;
  return [
    `To prewarm it, too (${counted(count(covering), 'variant')} an image instead of ${count(made)}):`,
    `  PREWARM_WIDTHS=${widths} PREWARM_TIERS=${tiers} PREWARM_FORMATS=${formats}`,
    ...(clients === undefined ? [] : [`or, in terms of clients: PREWARM_FOR=${clients}`]),
  ];
}

function combinationsOf({ widths, tiers, formats }: WantedVariants) {
  return widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
}
