import { createInputNotes } from '../../../src/unit/input/input-notes.ts';
import { parseUnit } from '../../../src/unit/parse-unit.ts';
import { type ReadUnitsOptions, readUnits } from '../../../src/unit/read-units.ts';

const DEFAULTS = {
  ladder: { widths: [480, 720, 1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif', 'webp'] },
} as const;

/** What was read of an input, in short texts. */
export interface ReadInput {
  /** `id: images`, where a name is before its URL. */
  units: string[];
  /** `line: reason`, with the id of the unit where it is known. */
  refused: string[];
  notes: string[];
  /** Of the units, as they were sent. */
  bytes: number;
}

/**
 * Reads an input in pieces.
 *
 * @throws InputFault
 */
export async function readInput(
  input: string | Uint8Array,
  { pieceBytes = 2 ** 16, ...options }: Partial<ReadUnitsOptions> & { pieceBytes?: number } = {},
): Promise<ReadInput> {
  const bytes = Buffer.from(input);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const notes = createInputNotes();
  const toUnit: ReadUnitsOptions['toUnit'] = (value, note) => parseUnit(value, DEFAULTS, note);
  const read: ReadInput = { units: [], refused: [], notes: [], bytes: 0 };
  for await (const entry of readUnits(pieces(), { toUnit, notes, ...options })) {
    if ('state' in entry) {
      const unit = entry.unit === undefined ? '' : ` \`${entry.unit}\``;
      const item = entry.item === undefined ? '' : ` (entry ${entry.item})`;
      read.refused.push(`line ${entry.line}${item}${unit}: ${entry.detail}`);
      continue;
    }
    const { id, images, widths } = entry.unit;
    const shown = images.map(({ name, src }) => (name === undefined ? src : `${name} ${src || '(empty)'}`));
    read.units.push(`${id}: ${shown.join(', ')}${String(widths) === '1080' ? '' : ` at ${widths}`}`);
    read.bytes += entry.bytes;
  }
  return { ...read, notes: notes.list() };
}
