import type { ToUnit } from '../../src/unit/read-units.ts';
import { parseUnit, type UnitDefaults } from '../../src/unit/unit.ts';
import { compileExpression, type JsonExpression } from './json-expression.ts';

/** Where in a line of input a unit's id and URLs are: JMESPath expressions. Without one: where the contract has them. */
export interface Selection {
  id?: string;
  images?: string;
}

/** How much of what an expression found is shown when it is of no use. */
const SHOWN_LENGTH = 60;

/**
 * Makes units of data of any shape.
 *
 * @throws CommandFailure when an expression is none
 */
export function createUnitSelection(selection: Selection, defaults: UnitDefaults): ToUnit {
  const findId = selection.id === undefined ? undefined : compileExpression('--id', selection.id);
  const findImages =
    selection.images === undefined ? undefined : compileExpression('--images', selection.images);
  return (value) => {
    if (!findId && !findImages) return parseUnit(value, defaults);
    // Whatever else the line says, such as `widths`, still counts.
    const said = typeof value === 'object' && !Array.isArray(value) ? value : {};
    const id = findId ? { id: selectId(findId, value) } : {};
    const images = findImages ? { images: selectImages(findImages, value) } : {};
    return parseUnit({ ...said, ...id, ...images }, defaults);
  };
}

function selectId(find: JsonExpression, value: unknown): string {
  const found = find(value);
  if (typeof found === 'string') return found;
  if (!Number.isInteger(found)) throw new Error(`--id found ${show(found)}: no text, and no whole number`);
  // It was rounded when it was read, so that its digits would be another unit's.
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
