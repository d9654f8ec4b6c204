import { Unreachable } from './ask.ts';
import { NothingToSee, StepFailure } from './expect.ts';

/** One thing that is tried. */
export interface Step {
  name: string;
  /** @returns what was seen, when it was as expected */
  run(): Promise<string>;
}

export type State = 'ok' | 'failed' | 'skipped';

/** Tries steps, and says how each went. */
export interface SmokeAccount {
  take(step: Step): Promise<State>;
  /** 0 when none has failed, else 2. */
  exitCode(): 0 | 2;
}

/** @param json - a line of JSON for each step, instead of text */
export function createAccount(json: boolean): SmokeAccount {
  let failed = 0;
  return {
    async take({ name, run }) {
      const { state, seen } = await outcomeOf(run);
      if (state === 'failed') failed++;
      const line = json
        ? JSON.stringify({ step: name, state, seen })
        : `${state.padEnd(7)}  ${name.padEnd(17)}  ${seen}`;
      process.stdout.write(`${line}\n`);
      return state;
    },
    exitCode: () => (failed > 0 ? 2 : 0),
  };
}

async function outcomeOf(run: Step['run']): Promise<{ state: State; seen: string }> {
  try {
    return { state: 'ok', seen: await run() };
  } catch (error) {
    if (error instanceof NothingToSee) return { state: 'skipped', seen: error.message };
    if (error instanceof StepFailure || error instanceof Unreachable)
      return { state: 'failed', seen: error.message };
    throw error;
  }
}
