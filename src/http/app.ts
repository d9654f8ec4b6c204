import { type Context, Hono } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import type { RequestOutcome } from '../metrics.ts';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import { VARIANT_PREFIX } from '../protocol/keys.ts';
import { COMMON_HEADERS, problemResponse } from '../protocol/problem.ts';
import type { GetVariant } from '../variant/get-variant.ts';
import { createTrace } from '../variant/trace.ts';
import { type App, type AppEnvironment, pathOf, type RawRequest, targetOf } from './app-environment.ts';
import { type CdnOrigin, respondWithImage } from './image-route.ts';
import { refuseLoop, refuseMethod, refusePath, refuseWork } from './refusals.ts';
import { logRequest } from './request-log.ts';
import { addUnitRoutes, type UnitRoutesOptions } from './unit-routes.ts';

export interface AppOptions {
  getVariant: GetVariant;
  log: Logger;
  /** What `GET /healthz` says beside that the process lives. */
  health?: () => Record<string, unknown>;
  /** Whether to refuse new work, since the process is about to end. */
  isClosing?: () => boolean;
  /** The page at `/`, if there is one. */
  frontPage?: () => string | Promise<string>;
  /** Where images are asked for by a CDN that has looked in the store: then they are at their keys, not at `/u/…`. */
  cdnOrigin?: CdnOrigin | undefined;
  /** The routes of the operators, where there is a token for them. */
  unitRoutes?: UnitRoutesOptions | undefined;
  /** Is told of each request once it is answered. */
  observeRequest?: (request: RequestOutcome) => void;
}

/** Makes the HTTP application: requests in, answers out. Whatever goes wrong is answered with a problem document. */
export function createApp(options: AppOptions): App {
  const { getVariant, log, health, isClosing = () => false, frontPage, unitRoutes, cdnOrigin } = options;
  const images = cdnOrigin ? `/${VARIANT_PREFIX}` : '/u';
  const answering = { getVariant, cdnOrigin };
  // Hono routes on the path as it was sent, since `Request.url` has lost `..` and `%2e`.
  const app: App = new Hono({
    getPath: (request, options) => pathOf(targetOf(request, options?.env as RawRequest | undefined)),
  });

  app.use(async (c, next) => {
    const trace = createTrace();
    c.set('trace', trace);
    const start = performance.now();
    await next();
    const totalMs = performance.now() - start;
    const code = codeOf(c.error);
    logRequest(log, c, trace, code, totalMs);
    const outcome = code === undefined ? (trace.outcome ?? 'ok') : 'error';
    options.observeRequest?.({
      outcome,
      code: code ?? '',
      seconds: totalMs / 1000,
      bytes: trace.bytesOut ?? 0,
      originalBytes: trace.originalBytes,
    });
  });
  app.get('/healthz', (c) =>
    c.json({ status: 'ok', ...health?.() }, 200, { ...COMMON_HEADERS, 'Cache-Control': 'no-store' }),
  );
  app.all('/healthz', refuseAllButGet);
  if (frontPage) {
    app.get('/', (c) => c.html(frontPage(), 200, { 'X-Content-Type-Options': 'nosniff' }));
    app.all('/', refuseAllButGet);
  }
  // Hono takes `/u` for one of `/u/*`.
  app.all(images, refusePath);
  app.get(`${images}/*`, (c) => {
    if (isClosing()) refuseWork(c);
    refuseLoop(c);
    return respondWithImage(answering, targetOf(c.req.raw, c.env), c.req.raw, c.get('trace'));
  });
  app.all(`${images}/*`, refuseAllButGet);
  if (unitRoutes) addUnitRoutes(app, unitRoutes, isClosing);
  app.all('*', refusePath);

  app.onError((error, c) => {
    if (error instanceof EdgepressError) return sendProblem(c, error);
    log.error({ err: error, unit: c.get('trace').unit }, 'a bug: no input may cause this');
    return sendProblem(c, new EdgepressError('internal', 'Something went wrong here, and was logged'));
  });
  return app;
}

function sendProblem(c: Context<AppEnvironment>, error: EdgepressError): Response {
  const { code, message: detail, parameter, retryAfterSeconds } = error;
  const { status, headers, body } = problemResponse({ code, detail, parameter, retryAfterSeconds });
  if (c.req.method !== 'HEAD') c.get('trace').bytesOut = Buffer.byteLength(body);
  return c.newResponse(body, status as StatusCode, { ...COMMON_HEADERS, ...headers });
}

function refuseAllButGet(c: Context): never {
  refuseMethod(c, 'GET, HEAD');
}

/** Of the problem that a request was answered with, if it was. */
function codeOf(error: Error | undefined): ErrorCode | undefined {
  if (error === undefined) return undefined;
  return error instanceof EdgepressError ? error.code : 'internal';
}
