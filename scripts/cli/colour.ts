import { styleText } from 'node:util';
import type { UnitState } from '../../src/protocol/keys.ts';

type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'cyan';

/**
 * Colours text for standard output: only on a terminal that shows colours, and not when `NO_COLOR` is set or `TERM` is `dumb`.
 * `FORCE_COLOR` colours on terminals that say nothing of colours.
 */
function coloured(colour: Colour, text: string): string {
  const { stdout } = process;
  const shows = stdout.isTTY && stdout.hasColors();
  return shows ? styleText(colour, text) : text;
}

const COLOURS: Record<UnitState, Colour> = {
  ready: 'green',
  pending: 'yellow',
  broken: 'red',
  failed: 'red',
};

/** The name of a state in its colour, padded to `width`. */
export function stateText(state: UnitState, width = 0): string {
  return coloured(COLOURS[state], state) + ' '.repeat(Math.max(0, width - state.length));
}
