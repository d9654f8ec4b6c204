import { Command } from 'commander';
import { printTableHead } from './harness/comparison.ts';
import { largePhotographs } from './harness/sources.ts';
import type { HitsOptions } from './hits/compare-hits.ts';
import { hitsOptions, measureHits } from './hits.ts';
import { measureLambda } from './lambda/misses.ts';
import { type MissesOptions, measureMisses, missesOptions } from './misses.ts';

/** The table of all speeds; also what `npm run bench` does without a name. */
export function speedCommand(): Command {
  const command = new Command('speed')
    .description(
      'misses, hits and the Lambda function as ratios to their peers, in one table; also what runs without a name',
    )
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo');
  for (const option of [...missesOptions(), ...hitsOptions()]) command.addOption(option);
  return command.action(async (folder: string | undefined, options: MissesOptions & HitsOptions) => {
    const sources = await largePhotographs(folder);
    printTableHead();
    await measureMisses(sources, options);
    await measureHits(sources, options);
    await measureLambda(sources, options);
  });
}
