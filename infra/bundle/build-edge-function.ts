import type { Ladder } from '../../src/variant/negotiate.ts';

/** Returns the text of the edge function. */
export function buildEdgeFunction({ widths, defaultWidth }: Ladder): string {
  return `const ladder = ${JSON.stringify({ widths, defaultWidth })};\nasync function handler(event) { return event.request; }\n`;
}
