import { InvalidArgumentError } from 'commander';

/** Makes what reads an option that is a number from `least` to `most`; decimals are fine. */
export function numberWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  };
}

/** The same of whole numbers. */
export function wholeNumberWithin(least: number, most: number): (text: string) => number {
  const read = numberWithin(least, most);
  return (text) => {
    if (!text.includes('.')) return read(text);
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
