import { setImmediate as nextTurn } from 'node:timers/promises';

/** After so many steps, about a millisecond, others get their turn: a loop over many files would never let them. */
const STEPS_A_TURN = 64;

/** To be awaited at each step of what never waits by itself. */
export type TakeTurn = () => Promise<void>;

/** Whoever shares one shares its turns, however short each one's loop. */
export function createTurns(): TakeTurn {
  let steps = 0;
  return async () => {
    steps += 1;
    if (steps % STEPS_A_TURN === 0) await nextTurn();
  };
}
