import { Command, Option } from 'commander';
import { type ImageUrlParts, InvalidImageUrl, imageUrl } from '../src/client/image-url.ts';
import { baseUrlOf } from '../src/config.ts';
import { FORMATS, TIERS } from '../src/protocol/request.ts';
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
    .action((options: SignOptions) => {
      process.stdout.write(`${signUrl(options)}\n`);
    });
}

function signUrl({ unit, src, w, q, f, exp, expiresIn }: SignOptions): string {
  if (exp !== undefined && expiresIn !== undefined)
    throw new CommandFailure('Give --exp or --expires-in, not both.');
  const config = readEnvironment();
  // Not validated here: the builder of the URL says what is wrong with each value.
  const parts: ImageUrlParts = {
    baseUrl: baseUrlOf(config),
    unit,
    src,
    width: toNumber(w),
    tier: q as ImageUrlParts['tier'],
    format: f as ImageUrlParts['format'],
    expiresAt: toNumber(exp) ?? secondsFromNow(expiresIn),
  };
  try {
    return imageUrl(parts, config.signingKeys[0]);
  } catch (error) {
    if (!(error instanceof InvalidImageUrl)) throw error;
    const { part, message } = error;
    throw new CommandFailure(`${part ? message.replace(`\`${part}\``, OPTIONS[part]) : message}.`);
  }
}

/** The options that set the parts of a URL. */
const OPTIONS: Record<keyof ImageUrlParts, string> = {
  baseUrl: 'PUBLIC_URL',
  unit: '--unit',
  src: '--src',
  width: '--w',
  tier: '--q',
  format: '--f',
  expiresAt: '--exp',
};

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function secondsFromNow(seconds: string | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (!/^\d{1,10}$/.test(seconds))
    throw new CommandFailure('--expires-in must be a whole number of seconds.');
  return Math.floor(Date.now() / 1000) + Number(seconds);
}
