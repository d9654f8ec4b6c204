import { InvalidArgumentError } from 'commander';
import { formatCount } from './amounts.ts';

/** Makes what reads an option that is a number from `least` to `most`; decimals are fine. */
export function numberWithin(least: number, most: number): (text: string) => number {
  return readWithin('a number', /^\d{1,12}(\.\d{1,9})?$/, least, most);
}

/** The same of whole numbers. */
export function wholeNumberWithin(least: number, most: number): (text: string) => number {
  return readWithin('a whole number', /^\d{1,12}$/, least, most);
}

/** Reads an option that is a whole number, 1 or more. */
export const wholeNumber = wholeNumberWithin(1, 999_999_999);

function readWithin(what: string, form: RegExp, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = form.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be ${what} from ${formatCount(least)} to ${formatCount(most)}.`);
  };
}
