/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import pMap from 'p-map';
import { UnitListPage, UnitsPage, type UnitsPageProps } from '../../pages/units.tsx';
import { WatchPage } from '../../pages/watch-units.tsx';
import { EdgepressError } from '../../protocol/error.ts';
import { UNIT_STATES } from '../../protocol/keys.ts';
import { isUnit, UNIT_RULE } from '../../protocol/request.ts';
import type { UnitQueue } from '../../queue/queue.ts';
import type { UnitDefaults } from '../../unit/parse-unit.ts';
import type { Units } from '../../unit/units.ts';
import type { WatchedUnit } from '../../unit/watch.ts';
import { type App, parametersIn, queryIn, type RequestContext } from '../http-request.ts';
import { nothingTaken } from '../ingest-units.ts';
import { parseUnitQuery } from '../list-units.ts';
import { asDependencyFailure } from '../responses.ts';
import { createForPeople, refusalStatus, wantedType } from './for-people.tsx';
import type { PageAccess } from './page-access.ts';
import { sendPage } from './page-response.ts';
import { createUnitEvents, type Followed, type UnitEventsOptions } from './unit-events.tsx';
import { addUnitPage } from './unit-page.tsx';
import { ingestUpload, limitUpload, MAX_UPLOAD_BYTES, readUpload } from './unit-upload.ts';

export interface UnitPageRoutesOptions extends UnitEventsOptions {
  units: Units;
  queue: Pick<UnitQueue, 'send' | 'depth'>;
  defaults: UnitDefaults;
  /** Whether a purge tells a CDN. */
  hasCdn: boolean;
  /** Unix milliseconds. */
  nowMs: () => number;
}

/** The most units that a page follows. */
const MAX_WATCHED = 50;
/** In UTF-16 code units: proxies take URLs of 8 kB. */
const MAX_WATCH_LENGTH = 4000;
/** In the query of a page that also says how many units are on the queue. */
const QUEUE_FLAG = 'queue=1';
const LOOKUP_CONCURRENCY = 8;
/** How many units of each state the first page shows. */
const OVERVIEW_UNITS = 10;

/**
 * Adds the pages of units, at the paths of the unit routes: a browser asks for HTML, and has a session in place of the token. Whatever else
 * comes to these paths goes on to the unit routes.
 */
export function addUnitPageRoutes(app: App, access: PageAccess, options: UnitPageRoutesOptions): void {
  const { units, nowMs } = options;
  const { siteFor, sessions } = access;
  const forPeople = createForPeople(access);
  const sendEvents = createUnitEvents(options);

  app.get('/units', async (c, next) => {
    const hasSession = async () => (await sessions?.isValid(c)) ?? false;
    if (wantedType(c) !== 'text/event-stream' || !(await hasSession())) return await next();
    return sendEvents(c, parseWatch(parametersIn(c)));
  });

  app.get(
    '/units',
    forPeople(async (c) => {
      const parameters = parametersIn(c);
      const id = parameters.get('id')?.trim();
      if (id !== undefined && isUnit(id)) return c.redirect(`/units/${id}`, 303);
      if (id !== undefined) return await sendOverview(c, { error: `The id of a unit must be ${UNIT_RULE}.` });
      if (parameters.has('watch')) return await sendWatch(c, parseWatch(parameters));
      return parameters.has('state') ? await sendList(c) : await sendOverview(c);
    }),
  );

  app.post(
    '/units',
    forPeople(async (c) => {
      let text: string | undefined;
      try {
        await limitUpload(c, async () => {});
        const upload = await readUpload(c.req.raw);
        text = upload.text;
        const { report, ids } = await ingestUpload(upload, options, MAX_WATCHED);
        const { accepted, images, refusedCount } = report;
        c.set('counts', { units: accepted, images, refused: refusedCount });
        const shown = fitting(ids);
        // Units that were sent twice count as others: then the page follows the queue for nothing.
        const followed = { ids: shown, withQueue: accepted > shown.length };
        if (accepted > 0) return await sendWatch(c, followed, report);
        if (report.refusedCount > 0) return await sendOverview(c, { report, sent: text }, 400);
        throw nothingTaken(report);
      } catch (error) {
        if (!(error instanceof EdgepressError)) throw error;
        return await sendOverview(c, { error: `${error.message}.`, sent: text }, refusalStatus(error));
      }
    }),
  );

  addUnitPage(app, forPeople, { ...options, siteFor });

  async function sendOverview(
    c: RequestContext,
    said: Pick<UnitsPageProps, 'error' | 'report' | 'sent'> = {},
    status: 200 | 400 | 404 | 405 | 503 = 200,
  ): Promise<Response> {
    const lists = await pMap(UNIT_STATES, async (state) => ({
      state,
      page: await listUnits({ state, limit: OVERVIEW_UNITS }),
    }));
    const shared = { site: await siteFor(c), nowMs: nowMs(), maxUploadBytes: MAX_UPLOAD_BYTES };
    return await sendPage(c, <UnitsPage {...shared} lists={lists} {...said} />, status);
  }

  async function sendList(c: RequestContext): Promise<Response> {
    const query = parseUnitQuery(queryIn(c));
    const { state, limit, after } = query;
    const page = await listUnits(query);
    const shared = { site: await siteFor(c), nowMs: nowMs(), isLater: after !== undefined };
    return await sendPage(c, <UnitListPage {...shared} state={state} limit={limit} page={page} />);
  }

  async function sendWatch(
    c: RequestContext,
    { ids, withQueue }: Followed,
    sent?: Parameters<typeof WatchPage>[0]['sent'],
  ): Promise<Response> {
    const looked = await pMap(ids, (id) => lookAt(id), { concurrency: LOOKUP_CONCURRENCY });
    const target = `/units?watch=${ids.join()}${withQueue ? `&${QUEUE_FLAG}` : ''}`;
    const shared = { site: await siteFor(c), units: looked, withQueue };
    return await sendPage(c, <WatchPage {...shared} target={target} sent={sent} />);
  }

  async function listUnits(query: Parameters<Units['list']>[0]): ReturnType<Units['list']> {
    return await units.list(query).catch((error: unknown) => {
      throw asDependencyFailure(error, 'The store cannot be listed just now: try again');
    });
  }

  async function lookAt(id: string): Promise<WatchedUnit> {
    return await units.look(id).catch((error: unknown) => {
      throw asDependencyFailure(error, 'The store cannot be read just now: try again');
    });
  }
}

/** @throws EdgepressError `bad_request` */
function parseWatch(parameters: URLSearchParams): Followed {
  const ids = [...new Set((parameters.get('watch') ?? '').split(','))];
  if (ids.every((id) => isUnit(id)) && ids.length <= MAX_WATCHED)
    return { ids, withQueue: parameters.has('queue') };
  throw new EdgepressError(
    'bad_request',
    `\`watch\` must be ids of units, with commas in between, and at most ${MAX_WATCHED}`,
    { parameter: 'watch' },
  );
}

/** Returns the first of these ids: as many as a URL can have. */
function fitting(ids: readonly string[]): readonly string[] {
  let length = 0;
  const end = ids.findIndex((id) => {
    length += id.length + 1;
    return length > MAX_WATCH_LENGTH;
  });
  return end < 0 ? ids : ids.slice(0, end);
}
