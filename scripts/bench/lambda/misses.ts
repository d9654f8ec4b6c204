import pMap from 'p-map';
import type { Format } from '../../../src/protocol/request.ts';
import type { Lambda } from '../../../test/support/lambda/lambda.ts';
import { compare, measureRound, type Round } from '../harness/comparison.ts';
import { readCpuTimes } from '../harness/cpu-times.ts';
import type { BenchSource } from '../harness/sources.ts';
import { fetchVariant, type Peer, settle, startOtherPeer, type VariantRequest } from '../misses/peers.ts';
import { type LambdaEnvironment, withLambda } from './environment.ts';
import { invokeImage } from './request.ts';

/** Of the variants that the function makes here. */
export const LAMBDA_WIDTH = 1080;

export interface LambdaMissesOptions {
  formats: readonly Format[];
  rounds: number;
}

/** Builds the image function, and prints the lines of its misses. */
export async function measureLambda(
  sources: readonly BenchSource[],
  options: LambdaMissesOptions,
): Promise<void> {
  await withLambda(sources, (environment) => measureLambdaMisses(environment, sources.length, options));
}

/**
 * Prints lines of misses, one after the other as an execution environment of Lambda handles them, with the put to S3: the first after the
 * function's start, of one photograph, and those of all photographs in a function that is warm.
 */
export async function measureLambdaMisses(
  environment: LambdaEnvironment,
  images: number,
  { formats, rounds }: LambdaMissesOptions,
): Promise<void> {
  const names = ['floor', 'sharp'];
  const others = await pMap(names, (name) => startOtherPeer(name, environment.authority, images));
  const miss = (lambda: Lambda, { index, id, format, width }: VariantRequest) => {
    const src = `http://${environment.authority}/${index}?id=${format}-${id}`;
    return invokeImage(lambda, { src, width, format }, 'miss');
  };
  const warm = await environment.boot();
  await settle(images, (variant) => miss(warm, variant));
  for (const peer of others) await settle(images, (variant) => fetchVariant(peer, variant));
  for (const format of formats) {
    const variant = { format, width: LAMBDA_WIDTH };
    const measured = (which: string) => `Lambda: ${which} miss, ${format} ${LAMBDA_WIDTH} px`;
    const missIn = (lambda: Lambda, id: string) => (index: number) => miss(lambda, { ...variant, index, id });
    const missesOf = (peer: Peer, count: number) => () =>
      measureEach(count, peer.server.pid, (index) => fetchVariant(peer, { ...variant, index, id: '' }));
    for (const peer of others) await missesOf(peer, images)();
    await measureEach(images, warm.process.pid, missIn(warm, 'warm-up'));

    const first = async (round: number) => {
      const lambda = await environment.boot();
      const result = await measureEach(1, lambda.process.pid, missIn(lambda, `first-${round}`));
      await lambda.stop();
      return result;
    };
    await compare({ measured: measured('first'), rounds, asTime: true }, [
      { name: 'edgepress', measure: first },
      ...others.map((peer) => ({ name: `${peer.name}, warm`, measure: missesOf(peer, 1) })),
    ]);
    await compare({ measured: measured('warm'), rounds, asTime: true }, [
      {
        name: 'edgepress',
        measure: (round) => measureEach(images, warm.process.pid, missIn(warm, `warm-${round}`)),
      },
      ...others.map((peer) => ({ name: peer.name, measure: missesOf(peer, images) })),
    ]);
  }
  await warm.stop();
  await Promise.all(others.map(({ server }) => server.stop()));
}

/** Requests a variant of each of the first photographs, one after the other. */
async function measureEach(
  count: number,
  pid = 0,
  request: (index: number) => Promise<number>,
): Promise<Round> {
  return await measureRound(
    count,
    () => readCpuTimes(pid),
    async () => {
      let bytes = 0;
      for (let index = 0; index < count; index++) bytes += await request(index);
      return bytes;
    },
  );
}
