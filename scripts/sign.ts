import { Command, Option } from 'commander';
import { buildImageUrl, type ImageUrlParts } from '../src/client/image-url.ts';
import { baseUrlOf } from '../src/config.ts';
import { FORMATS, parseRequest, TIERS } from '../src/protocol/request.ts';
import { CommandFailure } from './cli/command.ts';
import { addRequiredOption } from './cli/options.ts';
import { readEnvironment } from './cli/unit-session.ts';

interface SignOptions {
  unit: string;
  src: string;
  w?: string;
  q?: string;
  f?: string;
  exp?: string;
  expiresIn?: string;
}

/** `sign`: prints the URL of an image, signed with the first of `SIGNING_KEYS`, or unsigned when there are none. */
export function signCommand(): Command {
  const command = new Command('sign').description(
    'print the URL of an image, signed with the first of SIGNING_KEYS (unsigned when there are none)',
  );
  addRequiredOption(command, new Option('--unit <id>', 'the data unit that the image belongs to'));
  addRequiredOption(
    command,
    new Option('--src <url>', 'the original: an absolute http(s) URL, or s3://bucket/key'),
  );
  return command
    .option('--w <pixels>', 'the width; it is rounded up to the next of WIDTHS')
    .option('--q <tier>', `one of ${TIERS.join(', ')}`)
    .option('--f <format>', `one of ${FORMATS.join(', ')}, auto`)
    .option('--exp <time>', 'the Unix time in seconds after which the URL is refused')
    .option('--expires-in <seconds>', 'the same, in seconds from now')
    .addHelpText('after', '\nThe URL starts with PUBLIC_URL, or with http://HOST:PORT when that is not set.')
    .action(async (options: SignOptions) => {
      process.stdout.write(`${await signUrl(options)}\n`);
    });
}

async function signUrl({ unit, src, w, q, f, exp, expiresIn }: SignOptions): Promise<string> {
  if (exp !== undefined && expiresIn !== undefined)
    throw new CommandFailure('Give --exp or --expires-in, not both.');
  const config = readEnvironment();
  // Not validated here: the request parser below reports what is wrong with each value.
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
