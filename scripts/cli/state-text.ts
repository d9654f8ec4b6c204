import type { UnitState } from '../../src/protocol/keys.ts';
import { type Colour, coloured } from './colour.ts';

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
