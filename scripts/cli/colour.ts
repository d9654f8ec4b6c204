import { styleText } from 'node:util';

export type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'cyan';

/**
 * Colours text for standard output: only on a terminal that shows colours, and not when `NO_COLOR` is set or `TERM` is `dumb`.
 * `FORCE_COLOR` colours on terminals that say nothing of colours.
 */
export function coloured(colour: Colour, text: string): string {
  const { stdout } = process;
  const shows = stdout.isTTY && stdout.hasColors();
  return shows ? styleText(colour, text) : text;
}
