import { Option } from 'commander';
import { FORMATS, type Format } from '../../../src/protocol/request.ts';

/** Returns an option of numbers that are separated by commas. */
export function numbersOption(flags: string, description: string, byDefault: readonly number[]): Option {
  return new Option(flags, `${description}, separated by commas`)
    .default(byDefault, byDefault.join(','))
    .argParser((value) => value.split(',').map(Number));
}

/** Returns the option of the formats to measure. */
export function formatsOption(): Option {
  return new Option('--formats <names>', 'separated by commas')
    .default(FORMATS, FORMATS.join(','))
    .argParser((value) => value.split(',') as Format[]);
}

/** Returns the option of how often each line is measured. */
export function roundsOption(): Option {
  return new Option('--rounds <n>', 'rounds of each line, in which the servers take turns')
    .default(3)
    .argParser(Number);
}

/** Returns the option of how long hits are measured. */
export function secondsOption(): Option {
  return new Option('--seconds <n>', 'duration of each measurement of hits').default(3).argParser(Number);
}
