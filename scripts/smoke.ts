import { Command } from 'commander';
import { baseUrlOf } from '../src/config.ts';
import { parsePublicUrl } from '../src/config-values.ts';
import { CommandFailure } from './command/command-failure.ts';
import { readEnvironment } from './command/environment.ts';
import { watchForInterruption } from './command/interruption.ts';

/** `smoke`: tries a running service from end to end. */
export function smokeCommand(): Command {
  return new Command('smoke')
    .description('try a running service from end to end: refusal, miss, hit, purge')
    .argument('[url]', 'where it is reached; by default PUBLIC_URL, or else http://HOST:PORT')
    .option(
      '--src <url>',
      'an original that the service can fetch; by default a photograph, put into the bucket',
    )
    .option('--json', 'print NDJSON, a line a step')
    .addHelpText(
      'after',
      '\nIt takes the environment that the service has been deployed with: eval "$(npm run -s env -- Edgepress)"' +
        '\nEnds with 0 when all is as it has to be, 2 when a step has failed, 1 when it could not do its work.',
    )
    .action(smokeAt);
}

async function smokeAt(url: string | undefined, { src, json }: { src?: string; json?: true }): Promise<void> {
  const config = readEnvironment();
  const baseUrl = url === undefined ? baseUrlOf(config) : readBaseUrl(url);
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const interruption = watchForInterruption(say);
  // It decodes pictures, and all of the service is behind it: longer to load than most commands take.
  const { smoke } = await import('./smoke/run.ts');
  try {
    const { signal } = interruption;
    process.exitCode = await smoke(config, { baseUrl, src, json: json === true, say, signal });
  } finally {
    interruption.ignore();
  }
}

function readBaseUrl(url: string): string {
  try {
    return parsePublicUrl(url);
  } catch (error) {
    throw new CommandFailure(`${url} is not where a service is reached: it ${(error as Error).message}.`);
  }
}
