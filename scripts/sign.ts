import { Command, Option } from 'commander';
import { baseUrlOf, type Config } from '../src/config.ts';
import { rungsFor } from '../src/protocol/negotiation.ts';
import { FORMATS, TIERS } from '../src/protocol/request.ts';
import { CommandFailure } from './cli/command.ts';
import { addExamples } from './cli/examples.ts';
import { openLineInput } from './cli/input.ts';
import { wholeNumber, wholeNumbers } from './cli/options.ts';
import { printMessage, standardOutput } from './cli/output.ts';
import { counted, printable } from './cli/text.ts';
import { readEnvironment } from './cli/unit-session.ts';
import { type ImageFields, InvalidImage, type UrlOptions, urlText } from './sign/image-fields.ts';
import { type SignedLine, signLines } from './sign/sign-lines.ts';

interface SignOptions {
  unit?: string;
  src?: string;
  w?: string;
  q?: string;
  f?: string;
  exp?: string;
  expiresIn?: number;
  srcset?: true;
  widths?: readonly number[];
  relative?: true;
  json?: true;
}

/** `sign`: prints the URLs of images, signed with the first of `SIGNING_KEYS`, or unsigned when there are none. */
export function signCommand(): Command {
  const command = new Command('sign')
    .description(
      'print the URLs of images, signed with the first of SIGNING_KEYS (unsigned when there are none)',
    )
    .argument(
      '[file...]',
      'instead of --src: NDJSON, one image per line: {"unit", "src", "w", "q", "f", "exp"}; - is standard input. Options are for lines that leave the field out',
    )
    .option('--unit <id>', 'the data unit that the image belongs to')
    .option('--src <url>', 'the original: an absolute http(s) URL, or s3://bucket/key')
    .option('--w <pixels>', 'the width; it is rounded up to the next of WIDTHS')
    .addOption(new Option('--q <tier>', 'the tier').choices(TIERS))
    .addOption(new Option('--f <format>', 'the format').choices([...FORMATS, 'auto']))
    .option('--exp <time>', 'the Unix time in seconds after which the URL is refused')
    .option('--expires-in <seconds>', 'the same, in seconds from now', wholeNumber)
    .option('--srcset', 'print a srcset: a URL for each of WIDTHS')
    .option('--widths <pixels>', 'with --srcset: only these widths, such as 320,720', wholeNumbers)
    .option('--relative', 'print paths, without the address of the service')
    .option('--json', 'print NDJSON, one line per image: its fields, and "url" or "srcset"')
    .addHelpText(
      'after',
      '\nURLs start with PUBLIC_URL, or with http://HOST:PORT when that is not set.' +
        '\nExit status: 2 when lines are refused; the others are printed.',
    )
    .action(printSigned);
  return addExamples(command, [
    [
      'edgepress sign --unit unit-1 --src https://images.example.com/a.jpg --w 720 --expires-in 3600',
      'one URL, for an hour',
    ],
    [
      'edgepress sign --unit unit-1 --src https://images.example.com/a.jpg --srcset --f webp',
      'for <img srcset>',
    ],
    [
      `echo '{"unit": "unit-1", "src": "https://images.example.com/a.jpg"}' | edgepress sign - --w 720 --json`,
      'many at once',
    ],
  ]);
}

async function printSigned(files: readonly string[], options: SignOptions): Promise<void> {
  requireConsistent(files, options);
  const config = readEnvironment();
  const { expiresIn, unit, src, w, q, f, exp = expiresAfter(expiresIn) } = options;
  const fields = { unit, src, w, q, f, exp };
  if (files.length > 0) return await printLines(files, fields, options, urlOptions(options, config));
  const naming = { ...urlOptions(options, config), nameOf: (field: string) => `--${field}` };
  try {
    process.stdout.write(`${toText(fields, urlText(fields, naming), options)}\n`);
  } catch (error) {
    if (!(error instanceof InvalidImage)) throw error;
    throw new CommandFailure(`${error.message}.`);
  }
}

function requireConsistent(files: readonly string[], options: SignOptions): void {
  const { exp, expiresIn, src, srcset, widths } = options;
  if (exp !== undefined && expiresIn !== undefined)
    throw new CommandFailure('Give --exp or --expires-in, not both.');
  if (widths && !srcset) throw new CommandFailure('--widths is for --srcset; the width of one URL is --w.');
  if (files.length > 0 && src !== undefined)
    throw new CommandFailure('Give --src, or files with one image per line, not both.');
}

function urlOptions({ srcset, widths, relative }: SignOptions, config: Config): UrlOptions {
  const { widths: rungs } = config.ladder;
  return {
    baseUrl: relative ? '' : baseUrlOf(config),
    key: config.signingKeys[0],
    widths: srcset ? rungsFor(widths ?? rungs, rungs) : undefined,
    nameOf: (field) => `\`${field}\``,
  };
}

async function printLines(
  files: readonly string[],
  defaults: ImageFields,
  options: SignOptions,
  urls: UrlOptions,
): Promise<void> {
  const input = await openLineInput(files);
  const output = standardOutput();
  let refused = 0;
  try {
    for await (const signed of signLines(input.lines(new AbortController().signal), defaults, urls)) {
      if ('state' in signed) {
        refused++;
        printMessage(refusalOf(signed));
        if (options.json) output.write(JSON.stringify(signed));
      } else output.write(toText(signed.image, signed.text, options));
      await output.ready();
      if (output.isClosed()) break;
    }
  } finally {
    await output.close();
  }
  if (refused === 0) return;
  printMessage(`${counted(refused, 'line')} refused`);
  process.exitCode = 2;
}

function refusalOf({ file, line, detail }: Extract<SignedLine, { state: 'refused' }>): string {
  return `${file === undefined ? '' : `${file}: `}line ${line}: ${printable(detail)}`;
}

function toText(image: ImageFields, text: string, { json, srcset }: SignOptions): string {
  return json ? JSON.stringify({ ...image, [srcset ? 'srcset' : 'url']: text }) : text;
}

function expiresAfter(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : String(Math.floor(Date.now() / 1000) + seconds);
}
