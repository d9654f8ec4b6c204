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
  { cdn: named }: Config,
  say: (text: string) => void,
): Promise<string> {
  if (visit.hasCdn && named.kind === 'none')
    throw new StepFailure(
      'there is a CDN in front that nothing is told of: set CDN, or it keeps what is purged',
    );
  const { invalidations, gone } = await purge(units, unit);
  if (gone === 0)
    throw new StepFailure('there was nothing to purge: STORE is not where this service keeps its variants');
  if (invalidations.length > 0)
    say('Waiting until the CDN has forgotten it, which takes up to half a minute');
  await cdn.wait(invalidations).catch(inWords);
  const told = invalidations.map(({ id }) => `, and the CDN has forgotten it (${id})`).join('');
  return `${counted(gone, 'object')}${told}`;
}

/** Purges the unit, so that nothing stays. */
export async function purgeOnceMore({ units }: UnitSession, unit: string): Promise<string> {
  const { gone } = await purge(units, unit);
  return counted(gone, 'object');
}

async function purge(units: UnitSession['units'], unit: string) {
  const { units: purged, invalidations } = await units.purge([unit]).catch(inWords);
  return { invalidations, gone: purged.reduce((sum, { objects }) => sum + objects, 0) };
}

function inWords(error: unknown): never {
  throw new StepFailure(error instanceof Error ? error.message : String(error));
}
