import type fc from 'fast-check';
import type { Target } from './target.ts';

/**
 * A kind of input. An input is plain data (JSON, with `Uint8Array` for bytes), so that one that failed can be saved to a file and sent
 * again.
 */
export interface Kind<Input = unknown> {
  name: string;
  /** How many inputs are sent at a time. */
  concurrency: number;
  inputs: fc.Arbitrary<Input>;
  /**
   * Sends an input and checks the answers.
   *
   * @returns how it ended, to be counted: the codes of problem documents, or statuses
   * @throws Finding
   */
  send(input: Input, target: Target): Promise<string>;
}

/** Makes the type of a kind's inputs its own business. */
export function kind<Input>(parts: Kind<Input>): Kind {
  return parts as Kind;
}
