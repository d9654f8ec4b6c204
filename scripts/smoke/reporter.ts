import { StepFailure, StepSkipped } from './assertions.ts';
import { Unreachable } from './request.ts';

/** One step of a smoke test. */
export interface Step {
  name: string;
  /**
   * @returns what was seen, when it was as expected
   * @throws StepFailure, StepSkipped or Unreachable
   */
  run(): Promise<string>;
}

export type StepState = 'ok' | 'failed' | 'skipped';

/** Runs steps, and prints the outcome of each. */
export interface SmokeReporter {
  run(step: Step): Promise<StepState>;
  /** 2 when a step has failed, else 0. */
  exitCode(): 0 | 2;
}

/** @param json - whether to print a line of JSON for each step instead of text */
export function createSmokeReporter(json: boolean): SmokeReporter {
  let failed = 0;
  return {
    async run({ name, run }) {
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

async function outcomeOf(run: Step['run']): Promise<{ state: StepState; seen: string }> {
  try {
    return { state: 'ok', seen: await run() };
  } catch (error) {
    if (error instanceof StepSkipped) return { state: 'skipped', seen: error.message };
    if (error instanceof StepFailure || error instanceof Unreachable)
      return { state: 'failed', seen: error.message };
    throw error;
  }
}
