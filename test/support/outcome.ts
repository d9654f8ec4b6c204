import { decodeOrRepair } from '../../src/decode/decode.ts';
import { inspectSource } from '../../src/decode/inspect.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';

const MAX_PIXELS = 4_000_000;
const encoder = createSharpEncoder({ concurrency: 2, maxPixels: MAX_PIXELS });

/** Returns `image` if a source can be made a variant of, or else the code of the refusal. Other errors are thrown. */
export async function outcomeOf(source: Uint8Array): Promise<string> {
  try {
    const image = await encoder.decode(source, 160, 'viewer');
    await image.encode({ width: 160, tier: 'saver', format: 'webp', effort: 'fast' });
    return 'image';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code?.startsWith('source_')) return code;
    throw error;
  }
}

/** Returns the pixels of a still at its full size. */
export async function decodedPixels(source: Uint8Array): Promise<Buffer> {
  const inspected = await inspectSource(source, MAX_PIXELS);
  const { pixels } = await decodeOrRepair(inspected, inspected.facts, MAX_PIXELS);
  return await (await pixels.open()).raw().toBuffer();
}

/** Returns bytes that look random, the same in each run, without 0xff. */
export function pseudoRandom(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (Math.imul(index + 7, 2654435761) >>> 11) % 255));
}
