import { Command } from 'commander';
import { baseUrlOf } from '../src/config.ts';
import { publicUrl } from '../src/config-values.ts';
import { parseRequest } from '../src/protocol/request.ts';
import { CommandFailure, messageOf } from './cli/command.ts';
import { examplesText } from './cli/examples.ts';
import { watchForInterrupt } from './cli/interrupt.ts';
import { printMessage } from './cli/output.ts';
import { readEnvironment } from './cli/unit-session.ts';

/** `smoke`: tests a running service end to end. */
export function smokeCommand(): Command {
  return new Command('smoke')
    .description(
      'test a running service end to end: refusal, miss, hit, purge, and what platforms answer in different ways',
    )
    .argument('[url]', 'the URL of the service; by default PUBLIC_URL, or http://HOST:PORT')
    .option(
      '--src <url>',
      'an original that the service can fetch; by default a photograph that is put into the bucket',
    )
    .option('--json', 'print NDJSON, one line per step')
    .addHelpText(
      'after',
      '\nIt needs the environment of the deployed service, as env prints it.' +
        '\nExit status: 0 when every step is as expected, 2 when a step has failed, 1 when it could not do its work.',
    )
    .addHelpText(
      'after',
      examplesText([
        ['eval "$(edgepress env Edgepress)" && edgepress smoke', 'a deployed stack'],
        ['edgepress smoke http://127.0.0.1:3000 --src https://images.example.com/a.jpg', 'a server'],
      ]),
    )
    .action(smoke);
}

async function smoke(url: string | undefined, { src, json }: { src?: string; json?: true }): Promise<void> {
  const givenUrl = url === undefined ? undefined : parseBaseUrl(url);
  if (src !== undefined) requireSource(src);
  const config = readEnvironment();
  const baseUrl = givenUrl ?? baseUrlOf(config);
  const interrupt = watchForInterrupt(printMessage);
  // Loaded here because it decodes images: sharp takes longer to load than most commands take to run.
  const { runSmoke } = await import('./smoke/run.ts');
  try {
    const { signal } = interrupt;
    process.exitCode = await runSmoke(config, { baseUrl, src, json: json === true, signal });
  } finally {
    interrupt.stop();
  }
}

function parseBaseUrl(url: string): string {
  try {
    return publicUrl.parse(url);
  } catch (error) {
    const why =
      url === ''
        ? 'PUBLIC_URL is probably empty. Run env first: eval "$(npx edgepress env STACK)"'
        : `it ${messageOf(error)}.`;
    throw new CommandFailure(`"${url}" is not the URL of a service: ${why}`);
  }
}

/** @throws CommandFailure when it is not the URL of an original */
function requireSource(src: string): void {
  const parsed = parseRequest(`/u/smoke?src=${encodeURIComponent(src)}`);
  if (!parsed.ok) throw new CommandFailure(`--src: ${parsed.fault.detail}.`);
}
