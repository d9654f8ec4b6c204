import { randomUUID } from 'node:crypto';
import type { Config } from '../../src/config.ts';
import { CommandFailure, messageOf } from '../cli/command.ts';
import { printMessage } from '../cli/output.ts';
import { openUnitSession, type UnitSession } from '../cli/unit-session.ts';
import { StepFailure, StepSkipped } from './assertions.ts';
import { createSmokeClient, type SmokeClient, type VariantParts } from './client.ts';
import { createProbe, type Probe } from './probe.ts';
import { purgeAndWait, purgeLeftovers } from './purge-steps.ts';
import { createSmokeReporter, type SmokeReporter, type Step } from './reporter.ts';
import { Unreachable } from './request.ts';
import { chooseSource, type SmokeSource } from './source.ts';
import {
  checkEdgeHit,
  checkHead,
  checkMiss,
  checkMissAfterPurge,
  checkNoSecondMiss,
  checkNotModified,
  checkStored,
  checkUnsigned,
} from './steps.ts';
import {
  checkDamaged,
  checkEarlyPurge,
  checkHeadOfMiss,
  checkLarge,
  checkLongUrl,
  checkPreflight,
} from './uncommon-requests.ts';

export interface SmokeOptions {
  /** The URL of the service, without a slash at the end. */
  baseUrl: string;
  /** The original to request; without it, a photograph is put into the bucket. */
  src: string | undefined;
  json: boolean;
  /** Ends the test early. It still removes what it has stored. */
  signal: AbortSignal;
}

/** What the parts of a smoke test share. */
interface SmokeRun {
  unit: string;
  source: SmokeSource;
  client: SmokeClient;
  probe: Probe;
  session: UnitSession;
  reporter: SmokeReporter;
  config: Config;
}

/** Any format would do: most phones get this one. */
const FORMAT = 'avif';
const WIDTH = 320;

/**
 * Requests images from a running service in each way that clients do, and purges them again.
 *
 * @returns the exit status: 0 when every step is as expected, 2 when one has failed, 1 when it was interrupted
 * @throws CommandFailure when the service cannot be reached, or there is no original to request
 */
export async function runSmoke(config: Config, options: SmokeOptions): Promise<0 | 1 | 2> {
  const { baseUrl, src, json, signal } = options;
  const openSource = chooseSource(config, src);
  const [key] = config.signingKeys;
  if (!key)
    throw new CommandFailure(
      'SIGNING_KEYS is not set. smoke also checks that unsigned URLs are refused, so it needs keys: those that the server was' +
        ' started with, or those of a stack: eval "$(npx edgepress env STACK)"',
    );
  const unit = `smoke-${randomUUID()}`;
  const reporter = createSmokeReporter(json);
  const session = await openUnitSession(config, printMessage);
  try {
    const source = await openSource();
    try {
      printMessage(`Unit ${unit}, ${source.shown}`);
      const client = createSmokeClient(baseUrl, key);
      const parts: VariantParts = { unit, src: source.url, width: WIDTH, format: FORMAT };
      const probe = createProbe(client, parts, signal);
      await runSteps({ unit, source, client, probe, session, reporter, config });
    } finally {
      const { remove } = source;
      if (remove) await reporter.run({ name: 'our photograph', run: () => removeSource(remove) });
    }
  } finally {
    await session.drain();
    await session.close();
  }
  return signal.aborted ? 1 : reporter.exitCode();
}

/** A second unit, for the purge right after its first request. */
const earlyUnitOf = (unit: string) => `${unit}-early`;

/** Runs the steps. Once the service was reached something may be stored, so whatever happens then, the units are purged. */
async function runSteps(run: SmokeRun): Promise<void> {
  const { unit, probe, session, reporter, config } = run;
  await reporter.run({ name: 'unsigned URL', run: () => requireReachable(() => checkUnsigned(probe)) });
  try {
    await runSignedSteps(run);
  } finally {
    const units = [unit, earlyUnitOf(unit)] as const;
    await reporter.run({ name: 'last purge', run: () => purgeLeftovers(session, units, probe, config) });
  }
}

/** Runs the steps with a signed URL until the run is interrupted. After a required step has failed, the others are skipped. */
async function runSignedSteps(run: SmokeRun): Promise<void> {
  const { unit, source, client, probe, session, reporter, config } = run;
  const [smallest = WIDTH, ...larger] = config.ladder.widths;
  const parts: VariantParts = { unit, src: source.url, width: smallest, format: 'webp' };
  const widest: VariantParts = { ...parts, width: larger.at(-1) ?? smallest };
  const early: VariantParts = { ...parts, unit: earlyUnitOf(unit) };
  const purgeEarly = () => purgeAndWait(session, early.unit, probe, config);
  const steps: (Step & { isRequired?: true })[] = [
    { name: 'first request', run: () => checkMiss(probe), isRequired: true },
    { name: 'second request', run: () => checkNoSecondMiss(probe) },
    { name: 'OPTIONS', run: () => checkPreflight(client, parts) },
    { name: 'HEAD of a miss', run: () => checkHeadOfMiss(client, parts) },
    { name: 'long URL', run: () => checkLongUrl(client, parts, source) },
    { name: 'damaged, twice', run: () => checkDamaged(client, parts, source) },
    { name: 'large image', run: () => checkLarge(client, widest, source) },
    { name: "the store's copy", run: () => checkStored(probe) },
    { name: 'edge hit', run: () => checkEdgeHit(probe) },
    { name: 'HEAD', run: () => checkHead(probe) },
    { name: 'If-None-Match', run: () => checkNotModified(probe) },
    { name: 'purge', run: () => purgeAndWait(session, unit, probe, config), isRequired: true },
    { name: 'after the purge', run: () => checkMissAfterPurge(probe) },
    { name: 'early purge', run: () => checkEarlyPurge(client, early, purgeEarly) },
  ];
  let failed = '';
  for (const { isRequired, name, run: check } of steps) {
    if (probe.signal.aborted) return;
    const state = await reporter.run({ name, run: failed === '' ? check : () => skipAfter(failed) });
    if (state === 'failed' && isRequired) failed = name;
  }
}

async function skipAfter(failed: string): Promise<never> {
  throw new StepSkipped(`not tried: ${failed} failed`);
}

/**
 * Runs the first step.
 *
 * @throws CommandFailure when there is no response: that is no result of a smoke test
 */
async function requireReachable(check: () => Promise<string>): Promise<string> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Unreachable)
      throw new CommandFailure(`The service cannot be reached: ${error.message}.`);
    throw error;
  }
}

async function removeSource(remove: () => Promise<void>): Promise<string> {
  try {
    await remove();
    return 'is gone from the bucket';
  } catch (error) {
    throw new StepFailure(`is still there: ${messageOf(error)}`);
  }
}
