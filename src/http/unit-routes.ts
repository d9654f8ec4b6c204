import type { MiddlewareHandler } from 'hono';
import type { Metrics } from '../metrics.ts';
import { EdgepressError } from '../protocol/error.ts';
import { isUnit, UNIT_RULE } from '../protocol/request.ts';
import type { PurgedUnit } from '../purge/purge.ts';
import type { UnitQueue } from '../queue/queue.ts';
import type { Tracing } from '../tracing.ts';
import type { UnitDefaults } from '../unit/parse-unit.ts';
import type { UnitStatus } from '../unit/status.ts';
import type { Units } from '../unit/units.ts';
import type { UnsentUnit } from '../unit/unsent.ts';
import { requireToken } from './admin-token.ts';
import {
  type App,
  type AppEnvironment,
  pathOf,
  queryIn,
  type RequestContext,
  readChunks,
  readText,
  targetOf,
} from './http-request.ts';
import { ingestBody, nothingTaken, parseFlag } from './ingest-units.ts';
import { parseUnitQuery } from './list-units.ts';
import {
  MAX_PURGE_BYTES,
  parsePurge,
  purgeGroup,
  purgeUnits,
  refuseParameters,
  sayIfUntold,
} from './purge-units.ts';
import { asDependencyFailure, refuseMethod, refuseRestOfBody, sendJson, sendText } from './responses.ts';
import { readBodyHeaders } from './unit-body.ts';

export interface UnitRoutesOptions {
  /** The bearer token that gives access to these routes. */
  token: string;
  units: Units;
  queue: UnitQueue;
  defaults: UnitDefaults;
  metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** Adds the routes of operators: prewarm, status, purge and metrics. */
export function addUnitRoutes(
  app: App,
  options: UnitRoutesOptions & { tracing: Tracing },
  isDraining: () => boolean,
): void {
  const { token, units, metrics, tracing } = options;
  const authenticate: MiddlewareHandler<AppEnvironment> = async (c, next) => {
    c.header('Cache-Control', 'no-store');
    requireToken(c.req.header('authorization'), token);
    await next();
  };
  app.use('/metrics', authenticate);
  // For Hono, `/units/*` matches `/units` as well.
  app.use('/units/*', authenticate);
  app.use('/units/*', (c, next) => tracing.runRequest(c.get('trace'), next));

  app.get('/metrics', async (c) => sendText(c, await metrics.text(), metrics.contentType));
  app.all('/metrics', (c) => refuseMethod(c, 'GET, HEAD'));

  app.post('/units', async (c) => {
    const retry = parseFlag('retry', queryIn(c));
    const { headers } = c.req.raw;
    const encoding = headers.get('content-encoding') ?? undefined;
    const declared = readBodyHeaders(headers.get('content-type') ?? undefined, encoding);
    const report = await ingestBody(readChunksUntil(c, isDraining), { ...options, retry, declared });
    const { accepted, images, refusedCount } = report;
    c.set('counts', { units: accepted, images, refused: refusedCount });
    if (accepted === 0) throw nothingTaken(report);
    return sendJson(c, report, 202);
  });
  app.get('/units', async (c) => {
    const query = parseUnitQuery(queryIn(c));
    const page = await units.list(query).catch((error: unknown) => {
      throw asDependencyFailure(error, 'The store cannot be listed just now: try again');
    });
    c.set('counts', { units: page.units.length });
    return sendJson(c, { state: query.state, ...page });
  });
  app.all('/units', (c) => refuseMethod(c, 'GET, HEAD, POST'));

  app.post('/units/purge', async (c) => {
    refuseParameters(queryIn(c));
    const request = parsePurge(await readText(c.req.raw, MAX_PURGE_BYTES));
    if ('group' in request) {
      const purged = await purgeGroup(units, request.group);
      c.set('counts', { units: purged.units, objects: purged.objects });
      return sendJson(c, sayIfUntold(purged));
    }
    const purge = await purgeUnits(units, request.ids);
    c.set('counts', countPurged(purge.units));
    return sendJson(c, sayIfUntold(purge));
  });

  app.get('/units/:id', async (c) => {
    const id = unitOf(c);
    const isAsked = parseFlag('asked', queryIn(c));
    const status = await (isAsked ? units.asked(id) : statusOf(units, id)).catch((error: unknown) => {
      throw asDependencyFailure(error, 'The store cannot be read just now: try again');
    });
    if (status) return sendJson(c, status);
    throw new EdgepressError('not_found', `There is no unit ${id}: it was never sent, or was purged`);
  });
  app.delete('/units/:id', async (c) => {
    const id = unitOf(c);
    refuseParameters(queryIn(c));
    const purge = await purgeUnits(units, [id]);
    c.set('counts', countPurged(purge.units));
    return sendJson(c, sayIfUntold({ ...purge.units[0], invalidations: purge.invalidations }));
  });
  app.all('/units/:id', (c) => refuseMethod(c, 'GET, HEAD, DELETE'));
}

/** Returns the status of a unit, or what there is of one that was never sent. */
async function statusOf(
  units: Pick<Units, 'status' | 'unsent'>,
  id: string,
): Promise<UnitStatus | UnsentUnit | undefined> {
  return (await units.status(id)) ?? (await units.unsent(id));
}

/** Yields the body until the process drains: a body may take an hour to arrive. */
async function* readChunksUntil(
  c: RequestContext,
  isDraining: () => boolean,
): AsyncGenerator<Uint8Array, void> {
  if (isDraining()) refuseRestOfBody();
  for await (const chunk of readChunks(c.req.raw)) {
    if (isDraining()) refuseRestOfBody();
    yield chunk;
  }
}

/** Returns the unit in the path as it was sent: ids have no percent sign, so there is nothing to decode. */
function unitOf(c: RequestContext): string {
  const id = pathOf(targetOf(c.req.raw, c.env)).slice('/units/'.length);
  if (!isUnit(id)) {
    const detail = `The unit in /units/{id} must be ${UNIT_RULE}`;
    throw new EdgepressError('bad_request', detail, { parameter: 'id' });
  }
  c.get('trace').unit = id;
  return id;
}

function countPurged(purged: readonly PurgedUnit[]): Record<string, number> {
  const objects = purged.reduce((sum, unit) => sum + unit.objects, 0);
  return { units: purged.length, objects };
}
