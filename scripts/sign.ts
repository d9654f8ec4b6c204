import { Command, Option } from 'commander';
import { buildImageUrl, type ImageUrlParts } from '../src/client/image-url.ts';
import { baseUrlOf } from '../src/config.ts';
import { parseRequest } from '../src/protocol/request.ts';
import { CommandFailure } from './command/command-failure.ts';
import { readEnvironment } from './command/environment.ts';
import { addRequiredOption } from './command/required-option.ts';

interface SignOptions {
  unit: string;
  src: string;
  w?: string;
  q?: string;
  f?: string;
  exp?: string;
  expiresIn?: string;
}

/** `sign`: prints the URL of an image, signed with the first of `SIGNING_KEYS`, or unsigned where there are none. */
export function signCommand(): Command {
  const command = new Command('sign').description(
    'print the URL of an image, signed with the first of SIGNING_KEYS (unsigned where there are none)',
  );
  addRequiredOption(command, new Option('--unit <id>', 'the data unit that the image belongs to'));
  addRequiredOption(
    command,
    new Option('--src <url>', 'the original: an absolute http(s) URL, or s3://bucket/key'),
  );
  return command
    .option('--w <pixels>', 'the width; it goes up to the next one of WIDTHS')
    .option('--q <tier>', 'saver, balanced or high')
    .option('--f <format>', 'avif, webp, jpeg or auto')
    .option('--exp <time>', 'the Unix second after which the URL is refused')
    .option('--expires-in <seconds>', 'the same, from now')
    .addHelpText('after', '\nThe URL starts with PUBLIC_URL, or else with http://HOST:PORT.')
    .action(async (options: SignOptions) => {
      process.stdout.write(`${await sign(options)}\n`);
    });
}

async function sign({ unit, src, w, q, f, exp, expiresIn }: SignOptions): Promise<string> {
  if (exp !== undefined && expiresIn !== undefined)
    throw new CommandFailure('Give --exp or --expires-in, not both.');
  const config = readEnvironment();
  // The request parser below says what is wrong with a value, so that none of them is checked twice.
  const parts: ImageUrlParts = {
    baseUrl: '',
    unit,
    src,
    width: toNumber(w),
    tier: q as ImageUrlParts['tier'],
    format: f as ImageUrlParts['format'],
    expiresAt: toNumber(exp) ?? secondsFromNow(expiresIn),
  };
  const target = await buildImageUrl(parts, config.signingKeys[0]).catch((error: TypeError) => {
    throw new CommandFailure(`--unit: ${error.message}.`);
  });
  const parsed = parseRequest(target);
  if (!parsed.ok) throw new CommandFailure(`${parsed.fault.detail}.`);
  return baseUrlOf(config) + target;
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function secondsFromNow(seconds: string | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (!/^\d{1,10}$/.test(seconds))
    throw new CommandFailure('--expires-in must be a whole number of seconds.');
  return Math.floor(Date.now() / 1000) + Number(seconds);
}
