import { parseUnit, type UnitDefaults } from '../../src/unit/parse-unit.ts';
import type { ToUnit } from '../../src/unit/read-units.ts';
import { compileExpression, type JsonExpression } from './jmespath.ts';

/** JMESPath expressions for the id and the URLs of a unit in a line of input. Without one, the documented fields are read. */
export interface Selection {
  id?: string;
  images?: string;
}

/** How many characters of a value that is refused are shown. */
const SHOWN_LENGTH = 60;

/** Where the units of an input are found. */
export interface UnitSelection {
  /** Makes a unit of a JSON value of any shape. Throws an Error saying why a value is refused. */
  toUnit: ToUnit;
  /** Whether it takes the id or the images from where an expression says. */
  isSelected: boolean;
}

/** @throws CommandFailure when an expression is not valid JMESPath */
export function createUnitSelection(selection: Selection, defaults: UnitDefaults): UnitSelection {
  const findId = selection.id === undefined ? undefined : compileExpression('--id', selection.id);
  const findImages =
    selection.images === undefined ? undefined : compileExpression('--images', selection.images);
  if (!findId && !findImages)
    return { toUnit: (value, note) => parseUnit(value, defaults, note), isSelected: false };
  const toUnit: ToUnit = (value) => {
    // Other fields of the line, such as `widths`, are kept.
    const fields = typeof value === 'object' && !Array.isArray(value) ? value : {};
    const id = findId ? { id: selectId(findId, value) } : {};
    const images = findImages ? { images: selectImages(findImages, value) } : {};
    return parseUnit({ ...fields, ...id, ...images }, defaults);
  };
  return { toUnit, isSelected: true };
}

function selectId(find: JsonExpression, value: unknown): string {
  const found = find(value);
  if (typeof found === 'string') return found;
  if (!Number.isInteger(found)) throw new Error(`--id found ${show(found)}: no text, and no whole number`);
  // JSON.parse has rounded it, so its digits may be those of another unit.
  if (!Number.isSafeInteger(found)) throw new Error(`--id found a number that is too large: ${show(found)}`);
  return String(found);
}

function selectImages(find: JsonExpression, value: unknown): unknown {
  const found = find(value);
  if (typeof found === 'string') return [found];
  if (typeof found === 'object' && found !== null) return found;
  throw new Error(`--images found ${show(found)}: no URL, list of URLs, or object of name → URL`);
}

function show(found: unknown): string {
  if (found === null || found === undefined) return 'nothing (null)';
  const text = JSON.stringify(found) ?? 'nothing that JSON has';
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
