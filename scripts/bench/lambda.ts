import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { printTableHead } from './harness/comparison.ts';
import { median, print, timeSeconds } from './harness/measurements.ts';
import { formatsOption, roundsOption } from './harness/options.ts';
import { largePhotographs } from './harness/sources.ts';
import { type LambdaEnvironment, withLambda } from './lambda/environment.ts';
import { LAMBDA_WIDTH, type LambdaMissesOptions, measureLambdaMisses } from './lambda/misses.ts';
import { invokeImage } from './lambda/request.ts';

/** Node versions of the Lambda runtimes, installed as npm packages. */
const NODE_VERSIONS = ['22', '24'];
const BOOTS = 7;

interface LambdaOptions extends LambdaMissesOptions {
  nodeVersions: boolean;
}

export function lambdaCommand(): Command {
  return new Command('lambda')
    .description(
      'boot the image function as Lambda does: cold starts, and first and warm misses as ratios to bare sharp',
    )
    .argument('[folder]', 'with photographs of 10 megapixels and more; default: enlarged ones of the demo')
    .addOption(formatsOption())
    .addOption(roundsOption())
    .option('--no-node-versions', `leave out the cold starts on Node ${NODE_VERSIONS.join(' and ')}`)
    .action(async (folder: string | undefined, options: LambdaOptions) => {
      const sources = await largePhotographs(folder);
      await withLambda(sources, async (environment) => {
        for (const version of options.nodeVersions ? NODE_VERSIONS : [])
          await measureColdStarts(version, environment);
        printTableHead();
        await measureLambdaMisses(environment, sources.length, options);
      });
    });
}

/** The times to start and to answer a first request, a hit or a miss. */
async function measureColdStarts(version: string, environment: LambdaEnvironment): Promise<void> {
  const { workFolder, authority, boot } = environment;
  const node = installNode(workFolder, version);
  const times = { init: [] as number[], hit: [] as number[], miss: [] as number[] };
  for (let round = 0; round <= BOOTS; round++) {
    for (const kind of ['miss', 'hit'] as const) {
      const lambda = await boot(node);
      const src = `http://${authority}/0?cold=${version}-${round}`;
      const seconds = await timeSeconds(() =>
        invokeImage(lambda, { src, width: LAMBDA_WIDTH, format: 'avif' }, kind),
      );
      await lambda.stop();
      // The first round warms up the disk cache.
      if (round === 0) continue;
      times.init.push(lambda.initMs);
      times[kind].push(seconds * 1000);
    }
  }
  const [init, hit, miss] = [times.init, times.hit, times.miss].map((all) => median(all).toFixed(0));
  print(`Node ${version}: init ${init} ms; first request after it: hit ${hit} ms, miss ${miss} ms`);
}

/** @returns the path of the installed `node` */
function installNode(workFolder: string, version: string): string {
  const prefix = join(workFolder, `node-${version}`);
  mkdirSync(prefix);
  const name = `node-linux-${process.arch}`;
  execFileSync('npm', ['install', '--silent', '--prefix', prefix, `${name}@${version}`]);
  return join(prefix, 'node_modules', name, 'bin/node');
}
