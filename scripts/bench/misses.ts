import { Command, Option } from 'commander';
import pMap from 'p-map';
import type { Format } from '../../src/protocol/request.ts';
import { compare, measureRound, printMemory, printTableHead, type Round } from './harness/comparison.ts';
import { sum } from './harness/measurements.ts';
import { formatsOption, numbersOption, roundsOption } from './harness/options.ts';
import { type BenchSource, largePhotographs, serveSources } from './harness/sources.ts';
import {
  fetchVariant,
  OTHER_PEERS,
  type Peer,
  settle,
  startOtherPeer,
  startOwnPeer,
} from './misses/peers.ts';

export interface MissesOptions {
  formats: readonly Format[];
  widths: readonly number[];
  inFlight: readonly number[];
  rounds: number;
  peers: readonly string[];
}

/** A line of the table. */
interface Line {
  format: Format;
  width: number;
  inFlight: number;
}

export function missesCommand(): Command {
  const command = new Command('misses')
    .description('new variants of large photographs, as ratios to bare sharp and ipx')
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo');
  for (const option of missesOptions()) command.addOption(option);
  return command.action(async (folder: string | undefined, options: MissesOptions) => {
    printTableHead();
    await measureMisses(await largePhotographs(folder), options);
  });
}

/** The options of {@link measureMisses}. */
export function missesOptions(): Option[] {
  return [
    formatsOption(),
    numbersOption('--widths <pixels>', 'widths of the variants', [1080, 480]),
    numbersOption('--in-flight <numbers>', 'requests at a time', [1, 2, 4, 16]),
    new Option('--peers <names>', 'what misses are compared with, separated by commas')
      .default(OTHER_PEERS, OTHER_PEERS.join(','))
      .argParser((value) => value.split(',')),
    roundsOption(),
  ];
}

/** Prints lines of misses, then the peak memory of each server. */
export async function measureMisses(
  sources: readonly BenchSource[],
  { formats, widths, inFlight, rounds, peers: names }: MissesOptions,
): Promise<void> {
  const origin = await serveSources(sources);
  const own = await startOwnPeer(origin.authority);
  const others = await pMap(names, (name) => startOtherPeer(name, origin.authority, sources.length));
  const peers = [own, ...others];
  for (const peer of peers) await settle(sources.length, (variant) => fetchVariant(peer, variant));
  for (const width of widths) {
    for (const format of formats) {
      for (const peer of peers) await warmUp(peer, sources.length, { format, width });
      for (const count of inFlight) {
        await measureLine(peers, sources.length, { format, width, inFlight: count }, rounds);
      }
    }
  }
  for (const { name, server } of others)
    printMemory('peak memory of all misses', name, own.server.peakMemoryBytes(), server.peakMemoryBytes());
  await Promise.all(peers.map(({ server }) => server.stop()));
  origin.close();
}

async function warmUp(peer: Peer, images: number, variant: { format: Format; width: number }): Promise<void> {
  for (let index = 0; index < images; index++)
    await fetchVariant(peer, { ...variant, index, id: `warm-up-${variant.format}-${variant.width}` });
}

async function measureLine(
  peers: readonly Peer[],
  images: number,
  line: Line,
  rounds: number,
): Promise<void> {
  const { format, width, inFlight } = line;
  await compare(
    { measured: `miss: ${format} ${width} px, ${inFlight} in flight`, rounds },
    peers.map((peer) => ({
      name: peer.name,
      measure: (round) => requestAll(peer, images, line, round),
    })),
  );
}

/** Requests each photograph equally often, and often enough for the concurrency to last most of the time. */
async function requestAll(
  peer: Peer,
  images: number,
  { format, width, inFlight }: Line,
  round: number,
): Promise<Round> {
  const requests = images * Math.ceil((2 * inFlight) / images);
  const numbers = Array.from({ length: requests }, (_, number) => number);
  const request = (number: number) =>
    fetchVariant(peer, { index: number % images, format, width, id: `${inFlight}-${round}-${number}` });
  return await measureRound(requests, peer.server.cpuTimes, async () =>
    sum(await pMap(numbers, request, { concurrency: inFlight })),
  );
}
