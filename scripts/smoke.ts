import { Command } from 'commander';
import { baseUrlOf } from '../src/config.ts';
import { publicUrl } from '../src/config-values.ts';
import { parseRequest } from '../src/protocol/request.ts';
import { CommandFailure } from './cli/command.ts';
import { watchForInterruption } from './cli/interrupt.ts';
import { readEnvironment } from './cli/unit-session.ts';

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
  const given = url === undefined ? undefined : readBaseUrl(url);
  if (src !== undefined) requireSource(src);
  const config = readEnvironment();
  const baseUrl = given ?? baseUrlOf(config);
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
    return publicUrl.parse(url);
  } catch (error) {
    const why =
      url === ''
        ? 'PUBLIC_URL is empty here, most likely. Run env first: eval "$(npm run -s env -- STACK)"'
        : `it ${(error as Error).message}.`;
    throw new CommandFailure(`"${url}" is not where a service is reached: ${why}`);
  }
}

/** @throws CommandFailure for what no service would take as an original */
function requireSource(src: string): void {
  const parsed = parseRequest(`/u/smoke?src=${encodeURIComponent(src)}`);
  if (!parsed.ok) throw new CommandFailure(`--src: ${parsed.fault.detail}.`);
}
