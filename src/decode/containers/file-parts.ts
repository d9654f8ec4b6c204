// What all readers of containers share: a limit of parts, and copying some of the parts of a file.

import { EdgepressError } from '../../protocol/error.ts';

/**
 * What a walk may look at: 40,000 segments, chunks or blocks, or a million smaller things. It takes some 20 ms. Thirty megabytes in
 * chunks of one kilobyte are 30,000; the data of photographs have a stuffed byte in 256 bytes, and GIF a sub-block in 256.
 */
const MAX_STEPS = 1_000_000;
const STEPS_OF_PART = 25;

/** Refuses a file of countless tiny parts, which costs more time and memory than its bytes let expect. */
export class WalkLimit {
  #left = MAX_STEPS;

  /**
   * Counts a segment, a chunk or a block.
   *
   * @throws EdgepressError `source_too_large`
   */
  countPart(): void {
    this.count(STEPS_OF_PART);
  }

  /**
   * Counts what is found within a part in a few nanoseconds.
   *
   * @throws EdgepressError `source_too_large`
   */
  count(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0)
      throw new EdgepressError(
        'source_too_large',
        'The image consists of too many tiny parts to look at each',
      );
  }
}

/** The parts of a file that a copy consists of. */
export class KeptParts {
  readonly #bytes: Uint8Array;
  /** Where parts that adjoin each other begin and end: starts and ends take turns. */
  readonly #bounds: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Adds bytes that follow those added before.
   *
   * @param to - exclusive; what lies beyond the end of the file is left out
   */
  add(from: number, to: number): void {
    if (this.#bounds.at(-1) === from) this.#bounds[this.#bounds.length - 1] = to;
    else if (from < to) this.#bounds.push(from, to);
  }

  /** Returns views of the parts, those that adjoin each other as one. */
  parts(): Uint8Array[] {
    return Array.from({ length: this.#bounds.length / 2 }, (_, index) =>
      this.#bytes.subarray(this.#bounds[2 * index], this.#bounds[2 * index + 1]),
    );
  }

  copy(): Uint8Array<ArrayBuffer> {
    const ranges = this.parts();
    const copy = new Uint8Array(ranges.reduce((sum, range) => sum + range.length, 0));
    let at = 0;
    for (const range of ranges) {
      copy.set(range, at);
      at += range.length;
    }
    return copy;
  }
}
