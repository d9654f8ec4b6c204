import { hash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { Metrics } from '../metrics.ts';
import { EdgepressError } from '../protocol/error.ts';
import { isUnit, UNIT_RULE } from '../protocol/request.ts';
import type { PurgedUnit } from '../purge/purge.ts';
import type { UnitQueue } from '../queue/queue.ts';
import type { UnitDefaults } from '../unit/unit.ts';
import type { Units } from '../unit/units.ts';
import { type App, type AppEnvironment, pathOf, queryOf, targetOf } from './app-environment.ts';
import { ingestNdjson, parseRetry } from './ingest-units.ts';
import { MAX_PURGE_BYTES, parsePurge, purgeUnits } from './purge-units.ts';
import { asDependencyFailure, refuseMethod, refuseTheRest } from './refusals.ts';
import { readChunks, readText } from './request-body.ts';

export interface UnitRoutesOptions {
  /** Whoever has it may use these routes. */
  token: string;
  units: Units;
  queue: UnitQueue;
  defaults: UnitDefaults;
  metrics: Pick<Metrics, 'text' | 'contentType'>;
}

type RouteContext = Context<AppEnvironment>;

/** Adds the routes of the operators: prewarm, status, purge and metrics. */
export function addUnitRoutes(app: App, options: UnitRoutesOptions, isClosing: () => boolean): void {
  const { token, units, metrics } = options;
  const guard: MiddlewareHandler<AppEnvironment> = async (c, next) => {
    c.header('Cache-Control', 'no-store');
    requireToken(c.req.header('authorization'), token);
    await next();
  };
  app.use('/metrics', guard);
  // It takes `/units` for one of these.
  app.use('/units/*', guard);

  app.get('/metrics', async (c) => answer(c, await metrics.text(), metrics.contentType));
  app.all('/metrics', (c) => refuseMethod(c, 'GET, HEAD'));

  app.post('/units', async (c) => {
    const retry = parseRetry(queryOf(targetOf(c.req.raw, c.env)));
    const acceptance = await ingestNdjson(chunksUntil(c, isClosing), { ...options, retry });
    const { accepted, images, refusedCount } = acceptance;
    c.set('counts', { units: accepted, images, refused: refusedCount });
    return answerJson(c, acceptance, 202);
  });
  app.all('/units', (c) => refuseMethod(c, 'POST'));

  app.post('/units/purge', async (c) => {
    const ids = parsePurge(await readText(c.req.raw, MAX_PURGE_BYTES));
    const purge = await purgeUnits(units, ids);
    c.set('counts', countPurged(purge.units));
    return answerJson(c, purge);
  });

  app.get('/units/:id', async (c) => {
    const id = unitOf(c);
    const status = await units.status(id).catch((error: unknown) => {
      throw asDependencyFailure(error, 'The store cannot be read now: try again');
    });
    if (status) return answerJson(c, status);
    throw new EdgepressError('not_found', `There is no unit ${id}: it was never sent, or was purged`);
  });
  app.delete('/units/:id', async (c) => {
    const purge = await purgeUnits(units, [unitOf(c)]);
    c.set('counts', countPurged(purge.units));
    return answerJson(c, { ...purge.units[0], invalidations: purge.invalidations });
  });
  app.all('/units/:id', (c) => refuseMethod(c, 'GET, HEAD, DELETE'));
}

/** The body, for as long as the process takes in work: it may take an hour to arrive. */
async function* chunksUntil(c: RouteContext, isClosing: () => boolean): AsyncGenerator<Uint8Array, void> {
  if (isClosing()) refuseTheRest();
  for await (const chunk of readChunks(c.req.raw)) {
    if (isClosing()) refuseTheRest();
    yield chunk;
  }
}

/** The unit in the path, as it was sent: a percent sign is not among its characters. */
function unitOf(c: RouteContext): string {
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

function answerJson(c: RouteContext, value: object, status: 200 | 202 = 200): Response {
  return answer(c, `${JSON.stringify(value)}\n`, 'application/json', status);
}

function answer(c: RouteContext, body: string, contentType: string, status: 200 | 202 = 200): Response {
  c.get('trace').bytesOut = c.req.method === 'HEAD' ? 0 : Buffer.byteLength(body);
  return c.body(body, status, { 'Content-Type': contentType, 'X-Content-Type-Options': 'nosniff' });
}

/**
 * Refuses a request that does not carry the token.
 *
 * @param authorization - the header
 * @throws EdgepressError `unauthorized`
 */
export function requireToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) {
    throw new EdgepressError(
      'unauthorized',
      'This needs `Authorization: Bearer` with the token of the operators',
    );
  }
  // Hashed, so that what is compared has one length and takes one time whatever was sent.
  if (!timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'))) {
    throw new EdgepressError('unauthorized', 'The bearer token is not the right one');
  }
}
