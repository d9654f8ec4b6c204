import { Argument, Command, Option } from 'commander';
import { type ImageUrlParts, InvalidImageUrl, imageUrl } from '../src/client/image-url.ts';
import { baseUrlOf } from '../src/config.ts';
import type { Line } from '../src/unit/read-lines.ts';
import { CommandFailure } from './cli/command.ts';
import { addExamples } from './cli/examples.ts';
import { openLineInput } from './cli/input.ts';
import { addRequiredOption } from './cli/options.ts';
import { type LineOutput, printMessage, standardOutput } from './cli/output.ts';
import { readEnvironment } from './cli/unit-session.ts';
import { readAwsSamplesUrl } from './migrate/aws-samples.ts';
import { readImgproxyUrl } from './migrate/imgproxy.ts';
import { readIpxUrl } from './migrate/ipx.ts';
import { readNextImageUrl } from './migrate/next-image.ts';
import { NotTranslatable, type ReadOldImage, translate } from './migrate/old-image.ts';
import { readThumborUrl } from './migrate/thumbor.ts';

/** The services whose URLs are read, by their names on the command line. */
export const READERS = {
  imgproxy: readImgproxyUrl,
  thumbor: readThumborUrl,
  'next-image': readNextImageUrl,
  ipx: readIpxUrl,
  'aws-samples': readAwsSamplesUrl,
} satisfies Record<string, ReadOldImage>;

export type Service = keyof typeof READERS;

interface MigrateOptions {
  unit: string;
  origin?: string;
  json?: true;
}

/** What became of an old URL. */
type Outcome = { from: string; url: string; lost: readonly string[] } | { from: string; error: string };

/** `migrate`: prints the image URLs that ask edgepress for what those of another service ask for. */
export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('translate image URLs of another service')
    .addArgument(new Argument('<service>', 'the service').choices(Object.keys(READERS)))
    .argument('<url...>', 'its URLs, with or without the host; - reads them from standard input, one a line');
  addRequiredOption(command, new Option('--unit <id>', 'the data unit that the images belong to'));
  command
    .option('--origin <url>', 'what relative sources are relative to: a site, or s3://bucket')
    .option('--json', 'print a line of JSON for each URL, with what is lost')
    .addHelpText(
      'after',
      `
The URLs are signed with the first of SIGNING_KEYS, and start with PUBLIC_URL. What is not carried over is said on standard error.
Exit status 2: a URL cannot be translated.`,
    )
    .action(migrate);
  return addExamples(command, [
    [
      "edgepress migrate imgproxy --unit unit-1 '/sig/rs:fit:300/plain/https://shop.example.com/a.jpg@webp'",
      'one URL',
    ],
    [
      'edgepress migrate next-image --unit unit-1 --origin https://shop.example.com - < urls.txt',
      'many, whose sources are relative',
    ],
  ]);
}

async function migrate(service: Service, urls: readonly string[], options: MigrateOptions): Promise<void> {
  const config = readEnvironment();
  const toUrl = (parts: Omit<ImageUrlParts, 'baseUrl' | 'unit'>) =>
    imageUrl({ baseUrl: baseUrlOf(config), unit: options.unit, ...parts }, config.signingKeys[0]);
  const output = standardOutput();
  for await (const from of readUrls(urls)) {
    const outcome = outcomeOf(from, service, options.origin, toUrl);
    if ('error' in outcome) process.exitCode = 2;
    print(outcome, output, options.json);
    await output.ready();
    if (output.isClosed()) break;
  }
  await output.close();
}

async function* readUrls(urls: readonly string[]): AsyncGenerator<string, void> {
  for (const url of urls) {
    if (url !== '-') yield url;
    else
      for await (const { read } of (await openLineInput(['-'])).lines(new AbortController().signal))
        yield textOf(read);
  }
}

/** A line that cannot be read is no URL of any service, and is refused as such. */
function textOf(read: Line): string {
  return 'text' in read ? read.text.trim() : '';
}

function outcomeOf(
  from: string,
  service: Service,
  origin: string | undefined,
  toUrl: (parts: Omit<ImageUrlParts, 'baseUrl' | 'unit'>) => string,
): Outcome {
  try {
    const { lost, ...parts } = translate(READERS[service](from), origin);
    return { from, url: toUrl(parts), lost };
  } catch (error) {
    if (error instanceof InvalidImageUrl && error.part === 'unit')
      throw new CommandFailure(`--unit: ${error.message}.`);
    if (error instanceof NotTranslatable || error instanceof InvalidImageUrl)
      return { from, error: error.message };
    throw error;
  }
}

function print(outcome: Outcome, output: LineOutput, json: true | undefined): void {
  if (json) output.write(JSON.stringify(outcome));
  else if ('error' in outcome) printMessage(`${outcome.from}: ${outcome.error}`);
  else {
    output.write(outcome.url);
    for (const text of outcome.lost) printMessage(`${outcome.from}: lost: ${text}`);
  }
}
