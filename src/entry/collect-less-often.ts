import { setFlagsFromString } from 'node:v8';

/**
 * Lets garbage grow to three times what is in use before it is collected.
 *
 * Originals and variants lie outside of V8's heap, but count as if they were in it. Beside a small heap they make it collect all garbage once
 * for every two misses: more than half of what a miss costs the main thread.
 */
export function collectLessOften(): void {
  setFlagsFromString('--heap-growing-percent=300');
}
