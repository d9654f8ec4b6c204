import type { Config } from '../../src/config.ts';
import { messageOf } from '../cli/command.ts';
import { printMessage } from '../cli/output.ts';
import { counted } from '../cli/text.ts';
import type { UnitSession } from '../cli/unit-session.ts';
import { StepFailure } from './assertions.ts';
import type { Seen } from './client.ts';
import type { Probe } from './probe.ts';

/**
 * Purges the unit, and waits until the invalidations are complete.
 *
 * @throws StepFailure when there was nothing to purge, or a CDN that is not configured still has it
 */
export async function purgeAndWait(
  { units, cdn }: UnitSession,
  unit: string,
  { seen }: Probe,
  config: Config,
): Promise<string> {
  if (isCdnUnconfigured(seen, config))
    throw new StepFailure('there is a CDN in front, and CDN is not set: it would keep serving purged images');
  const { invalidations, objects } = await purge(units, [unit], seen);
  if (objects === 0)
    throw new StepFailure('there was nothing to purge: STORE is not the store of this service');
  if (invalidations.length > 0)
    printMessage('Waiting for the CDN to complete the invalidation, which takes up to half a minute');
  await cdn.wait(invalidations).catch(failStep);
  const forgotten = invalidations.map(({ id }) => `, and the CDN has forgotten it (${id})`).join('');
  return `${counted(objects, 'object')}${forgotten}`;
}

/**
 * Purges the units at the end, so that nothing of it is left.
 *
 * @throws StepFailure naming what the user has to purge
 */
export async function purgeLeftovers(
  { units }: UnitSession,
  all: readonly [unit: string, ...others: string[]],
  { seen, miss }: Probe,
  config: Config,
): Promise<string> {
  const { objects } = await purge(units, all, seen);
  const [unit] = all;
  if (seen.isStored) throw new StepFailure(`unit ${unit} is still in the service's store; purge it there`);
  if (miss && isCdnUnconfigured(seen, config))
    throw new StepFailure(
      `${counted(objects, 'object')}, but the CDN keeps its copies of unit ${unit}; purge it with CDN set`,
    );
  return counted(objects, 'object');
}

function isCdnUnconfigured({ hasCdn }: Seen, { cdn }: Config): boolean {
  return hasCdn && cdn.length === 0;
}

async function purge(units: UnitSession['units'], all: readonly string[], seen: Seen) {
  const { units: purged, invalidations } = await units.purge(all).catch(failStep);
  const objects = purged.reduce((sum, one) => sum + one.objects, 0);
  if (objects > 0) seen.isStored = false;
  return { invalidations, objects };
}

function failStep(error: unknown): never {
  throw new StepFailure(messageOf(error));
}
