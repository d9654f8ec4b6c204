/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { PurgedUnitPage, PurgeUnitPage } from '../../pages/purge-unit.tsx';
import { type ImageFilter, NoUnitPage, UnitPage } from '../../pages/unit.tsx';
import { EdgepressError } from '../../protocol/error.ts';
import { isUnit, UNIT_RULE } from '../../protocol/request.ts';
import type { UnitQueue } from '../../queue/queue.ts';
import { ingestUnits } from '../../unit/ingest.ts';
import type { Unit } from '../../unit/unit.ts';
import type { Units } from '../../unit/units.ts';
import { type App, parametersIn, pathOf, type RequestContext, readText, targetOf } from '../http-request.ts';
import { purgeUnits } from '../purge-units.ts';
import { asDependencyFailure, refuseMethod } from '../responses.ts';
import type { ForPeople } from './for-people.tsx';
import type { PageAccess } from './page-access.ts';
import { sendPage } from './page-response.ts';

export interface UnitPageOptions extends Pick<PageAccess, 'siteFor'> {
  units: Units;
  queue: Pick<UnitQueue, 'send'>;
  /** Whether a purge tells a CDN. */
  hasCdn: boolean;
  /** Unix milliseconds. */
  nowMs: () => number;
}

const FILTERS: readonly ImageFilter[] = ['all', 'broken', 'pending'];
const MAX_FORM_BYTES = 1000;

/** Adds the page of a unit, and the forms that purge it and make its images again. */
export function addUnitPage(app: App, forPeople: ForPeople, options: UnitPageOptions): void {
  const { units, hasCdn, nowMs, siteFor } = options;

  app.get(
    '/units/:id',
    forPeople(async (c) => {
      const id = unitIn(c);
      const { status } = await ask(units.look(id));
      if (!status) return await sendNoUnit(c, id);
      const parameters = parametersIn(c);
      const show = FILTERS.find((each) => each === parameters.get('show')) ?? 'all';
      const from = Number(/^\d{1,5}$/.exec(parameters.get('from') ?? '')?.[0] ?? 0);
      const shared = { site: await siteFor(c), nowMs: nowMs() };
      return await sendPage(c, <UnitPage {...shared} status={status} show={show} from={from} />);
    }),
  );

  app.get(
    '/units/:id/purge',
    forPeople(async (c) => {
      const id = unitIn(c);
      const counted = await ask(units.purge([id], { dryRun: true }));
      const { objects = 0, bytes = 0 } = counted.units[0] ?? {};
      const unit = await ask(units.submitted(id));
      if (objects === 0 && !unit) return await sendNoUnit(c, id);
      const shared = { site: await siteFor(c), id, objects, bytes, hasCdn };
      return await sendPage(c, <PurgeUnitPage {...shared} images={unit?.images.length} />);
    }),
  );

  app.post(
    '/units/:id/purge',
    forPeople(async (c) => {
      const id = unitIn(c);
      const form = new URLSearchParams(await readText(c.req.raw, MAX_FORM_BYTES));
      const unit = form.get('afterwards') === 'warm' ? await ask(units.submitted(id)) : undefined;
      const purge = await purgeUnits(units, [id]);
      c.set('counts', { units: 1, objects: purge.units[0]?.objects ?? 0 });
      // After the purge: what was sent before it would be removed by it.
      if (unit) await send(unit);
      const page = (
        <PurgedUnitPage site={await siteFor(c)} id={id} purge={purge} isWarming={unit !== undefined} />
      );
      return await sendPage(c, page);
    }),
  );

  app.post(
    '/units/:id/warm',
    forPeople(async (c) => {
      const id = unitIn(c);
      const unit = await ask(units.submitted(id));
      if (!unit) return await sendNoUnit(c, id);
      await send(unit);
      return c.redirect(`/units?watch=${id}`, 303);
    }),
  );
  // Who logs in before the form is sent comes here.
  app.get(
    '/units/:id/warm',
    forPeople((c) => c.redirect(`/units/${unitIn(c)}`, 303)),
  );
  for (const path of ['/units/:id/purge', '/units/:id/warm'])
    app.all(
      path,
      forPeople((c) => refuseMethod(c, 'GET, HEAD, POST')),
    );

  /** Puts a unit on the queue, and has its broken images fetched again. */
  async function send(unit: Unit): Promise<void> {
    const lines = (async function* () {
      yield { line: 1, unit };
    })();
    await ask(ingestUnits(lines, { ...options, retry: true, onRefused: () => {} }));
  }

  async function sendNoUnit(c: RequestContext, id: string): Promise<Response> {
    const unsent = await ask(units.unsent(id));
    return await sendPage(c, <NoUnitPage site={await siteFor(c)} id={id} unsent={unsent} />, 404);
  }
}

/** Waits for the store. */
async function ask<T>(answer: Promise<T>): Promise<T> {
  return await answer.catch((error: unknown) => {
    throw asDependencyFailure(error, 'The store does not answer just now: try again');
  });
}

/** Returns the unit in the path as it was sent: ids have no percent sign, so there is nothing to decode. */
function unitIn(c: RequestContext): string {
  const [, , id = ''] = pathOf(targetOf(c.req.raw, c.env)).split('/');
  if (!isUnit(id)) throw new EdgepressError('bad_request', `The id of a unit must be ${UNIT_RULE}`);
  c.get('trace').unit = id;
  return id;
}
