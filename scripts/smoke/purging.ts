import type { Config } from '../../src/config.ts';
import { counted } from '../command/amounts.ts';
import type { UnitSession } from '../command/unit-session.ts';
import { StepFailure } from './expect.ts';
import type { Visit } from './visit.ts';

/** Purges the unit, and waits until the CDN has forgotten it. */
export async function purgeAndWait(
  { units, cdn }: UnitSession,
  unit: string,
  visit: Visit,
  config: Config,
  say: (text: string) => void,
): Promise<string> {
  if (isCdnUntold(visit, config))
    throw new StepFailure(
      'there is a CDN in front that nothing is told of: set CDN, or it keeps what is purged',
    );
  const { invalidations, gone } = await purge(units, unit, visit);
  if (gone === 0)
    throw new StepFailure('there was nothing to purge: STORE is not where this service keeps its variants');
  if (invalidations.length > 0)
    say('Waiting until the CDN has forgotten it, which takes up to half a minute');
  await cdn.wait(invalidations).catch(inWords);
  const told = invalidations.map(({ id }) => `, and the CDN has forgotten it (${id})`).join('');
  return `${counted(gone, 'object')}${told}`;
}

/** Purges the unit, so that nothing stays. What stays all the same is for the user to purge. */
export async function purgeOnceMore(
  { units }: UnitSession,
  unit: string,
  visit: Visit,
  config: Config,
): Promise<string> {
  const { gone } = await purge(units, unit, visit);
  if (visit.isStored) throw new StepFailure(`unit ${unit} is still in the service's store; purge it there`);
  if (visit.miss && isCdnUntold(visit, config))
    throw new StepFailure(
      `${counted(gone, 'object')}, but the CDN keeps what it has of unit ${unit}; purge it with CDN set`,
    );
  return counted(gone, 'object');
}

function isCdnUntold({ hasCdn }: Visit, { cdn }: Config): boolean {
  return hasCdn && cdn.kind === 'none';
}

async function purge(units: UnitSession['units'], unit: string, visit: Visit) {
  const { units: purged, invalidations } = await units.purge([unit]).catch(inWords);
  const gone = purged.reduce((sum, { objects }) => sum + objects, 0);
  if (gone > 0) visit.isStored = false;
  return { invalidations, gone };
}

function inWords(error: unknown): never {
  throw new StepFailure(error instanceof Error ? error.message : String(error));
}
