import fc from 'fast-check';
import { FORMATS, TIERS } from '../../../src/protocol/request.ts';
import { checkAnswer } from '../check-answer.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import { edits, mutate, withRightChecksums } from '../mutations.ts';
import { keptConnection } from '../raw-connection.ts';
import type { SeedImage } from '../seed-images.ts';
import type { Target } from '../target.ts';

interface ImageInput {
  /** The name of the image that it was made from. */
  seed: string;
  source: Uint8Array;
  format: (typeof FORMATS)[number];
  tier: (typeof TIERS)[number];
  width: number;
}

let units = 0;

/** Mutated images of every format that the service decodes: each is a new source of a new unit, and answered with a whole image or refused. */
export function imagesKind(seeds: readonly SeedImage[]): Kind {
  return kind<ImageInput>({
    name: 'images',
    concurrency: 2,
    inputs: imageInputs(seeds),
    send: requestImage,
  });
}

/** Unchanged images: each must be answered with an image, or the mutations would be of no use. */
export async function checkSeeds(seeds: readonly SeedImage[], target: Target): Promise<void> {
  for (const { name, bytes } of seeds) {
    const outcome = await requestImage(
      { seed: name, source: bytes, format: 'webp', tier: 'saver', width: 160 },
      target,
    );
    if (outcome !== '200 image') throw new Finding(`the unchanged ${name} is answered with ${outcome}`);
  }
}

/** Mutated images, and how they are asked for. */
export function imageInputs(seeds: readonly SeedImage[]): fc.Arbitrary<ImageInput> {
  const seed = fc.constantFrom(...seeds);
  return fc
    .record({
      seed,
      other: seed,
      edits,
      hasRightChecksums: fc.boolean(),
      format: fc.constantFrom(...FORMATS),
      tier: fc.constantFrom(...TIERS),
      width: fc.constantFrom(160, 480),
    })
    .map(({ seed, other, edits, hasRightChecksums, ...how }) => {
      const mutated = mutate(seed.bytes, edits, other.bytes);
      return { seed: seed.name, source: hasRightChecksums ? withRightChecksums(mutated) : mutated, ...how };
    });
}

async function requestImage({ source, format, tier, width }: ImageInput, target: Target): Promise<string> {
  const { url, withdraw } = target.origin.serve(source);
  const connection = keptConnection(target.server.port);
  try {
    const path = target.sign({ unit: `image-${units++}`, src: url, format, tier, width });
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    return await checkAnswer(await connection.request(Buffer.from(request)));
  } finally {
    connection.close();
    withdraw();
  }
}
