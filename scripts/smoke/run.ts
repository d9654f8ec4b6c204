import { randomUUID } from 'node:crypto';
import { buildImageUrl, type UrlSigningKey } from '../../src/client/image-url.ts';
import type { Config } from '../../src/config.ts';
import { CommandFailure } from '../command/command-failure.ts';
import { openUnitSession, type UnitSession } from '../command/unit-session.ts';
import { createAccount, type SmokeAccount, type Step } from './account.ts';
import { Unreachable } from './ask.ts';
import { NothingToSee, StepFailure } from './expect.ts';
import { purgeAndWait, purgeOnceMore } from './purging.ts';
import { findSource, type SmokeSource } from './source.ts';
import {
  seeEdgeHit,
  seeHead,
  seeMiss,
  seeMissAgain,
  seeNoSecondMiss,
  seeNotModified,
  seeRefusal,
  seeStored,
} from './steps.ts';
import { beginVisit, type Visit } from './visit.ts';

export interface SmokeOptions {
  /** Where the service is reached, without a slash at the end. */
  baseUrl: string;
  /** The original; else one of our own. */
  src: string | undefined;
  json: boolean;
  say: (text: string) => void;
  /** Ends it early, with nothing left behind. */
  signal: AbortSignal;
}

interface Smoke {
  unit: string;
  visit: Visit;
  session: UnitSession;
  account: SmokeAccount;
  config: Config;
  say: (text: string) => void;
}

/** Any that the service serves: it is the one that most phones get. */
const FORMAT = 'avif';
const WIDTH = 320;

/**
 * Asks a running service for a picture in each of the ways in which it is asked for, and purges it again.
 *
 * @returns the status to end with: 0 when all was as it has to be, 2 when a step has failed, 1 when it was interrupted
 * @throws CommandFailure when the service cannot be reached, or there is nothing to ask for
 */
export async function smoke(config: Config, options: SmokeOptions): Promise<0 | 1 | 2> {
  const { src, json, say, signal } = options;
  const place = findSource(config, src);
  const [key] = config.signingKeys;
  if (!key)
    throw new CommandFailure(
      'SIGNING_KEYS is not set. smoke also tries that unsigned URLs are refused, so it needs keys: those that the server was' +
        ' started with, or those of a stack: eval "$(npm run -s env -- STACK)"',
    );
  const unit = `smoke-${randomUUID()}`;
  const account = createAccount(json);
  const session = await openUnitSession(config, say);
  try {
    const source = await place();
    try {
      say(`Unit ${unit}, ${source.shown}`);
      const visit = await visitOf(options, key, unit, source);
      await live({ unit, visit, session, account, config, say });
    } finally {
      const { remove } = source;
      if (remove) await account.take({ name: 'our photograph', run: () => takeAway(remove) });
    }
  } finally {
    await session.finish();
    await session.close();
  }
  return signal.aborted ? 1 : account.exitCode();
}

async function visitOf(
  { baseUrl, signal }: SmokeOptions,
  key: UrlSigningKey,
  unit: string,
  { url: src }: SmokeSource,
): Promise<Visit> {
  const parts = { baseUrl: '', unit, src, width: WIDTH, format: FORMAT } as const;
  const [url, unsignedUrl] = await Promise.all([buildImageUrl(parts, key), buildImageUrl(parts)]);
  return beginVisit(baseUrl + url, baseUrl + unsignedUrl, signal);
}

/** From the first contact on, something may be stored: whatever happens then, it is purged. */
async function live(smoke: Smoke): Promise<void> {
  const { unit, visit, session, account, config } = smoke;
  await account.take({ name: 'unsigned URL', run: () => firstContact(visit) });
  try {
    await liveSigned(smoke);
  } finally {
    await account.take({ name: 'last purge', run: () => purgeOnceMore(session, unit, visit, config) });
  }
}

/** The life of a variant: until the user has enough. What rests on a step that has failed is not tried. */
async function liveSigned({ unit, visit, session, account, config, say }: Smoke): Promise<void> {
  const steps: (Step & { isVital?: true })[] = [
    { name: 'first request', run: () => seeMiss(visit), isVital: true },
    { name: 'second request', run: () => seeNoSecondMiss(visit) },
    { name: "the store's copy", run: () => seeStored(visit) },
    { name: 'edge hit', run: () => seeEdgeHit(visit) },
    { name: 'HEAD', run: () => seeHead(visit) },
    { name: 'If-None-Match', run: () => seeNotModified(visit) },
    { name: 'purge', run: () => purgeAndWait(session, unit, visit, config, say), isVital: true },
    { name: 'after the purge', run: () => seeMissAgain(visit) },
  ];
  let failed = '';
  for (const { isVital, name, run } of steps) {
    if (visit.signal.aborted) return;
    const state = await account.take({ name, run: failed === '' ? run : () => notTried(failed) });
    if (state === 'failed' && isVital) failed = name;
  }
}

async function notTried(failed: string): Promise<never> {
  throw new NothingToSee(`not tried: ${failed} failed`);
}

/** A service that is not there is not one that fails. */
async function firstContact(visit: Visit): Promise<string> {
  try {
    return await seeRefusal(visit);
  } catch (error) {
    if (error instanceof Unreachable)
      throw new CommandFailure(`The service cannot be reached: ${error.message}.`);
    throw error;
  }
}

async function takeAway(remove: () => Promise<void>): Promise<string> {
  try {
    await remove();
    return 'is gone from the bucket';
  } catch (error) {
    throw new StepFailure(`is still there: ${(error as Error).message}`);
  }
}
