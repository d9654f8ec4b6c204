import { type Context, Hono } from 'hono';
import { VARIANT_PREFIX } from '../protocol/keys.ts';
import { IMAGE_PATH_PREFIX } from '../protocol/request.ts';
import type { GetVariant } from '../variant/get-variant.ts';
import { type App, pathOf, type RawRequest, targetOf } from './http-request.ts';
import type { VariantHeadersOptions } from './image-headers.ts';
import { type Answer, answerImage, type CdnOrigin } from './image-route.ts';
import type { ReadinessReport } from './readiness.ts';
import { createRequestRecorder, logRequests, type RequestLogOptions } from './request-log.ts';
import {
  addCommonHeaders,
  answerPreflight,
  errorFor,
  refuseLoop,
  refuseMethod,
  refusePath,
  refuseWork,
  sendProblem,
} from './responses.ts';
import { addUnitRoutes, type UnitRoutesOptions } from './unit-routes.ts';
import { VIEWER_LEFT_STATUS, ViewerLeft, viewerSignalOf } from './viewer-signal.ts';

export interface AppOptions extends RequestLogOptions, VariantHeadersOptions {
  getVariant: GetVariant;
  /** Returns what `GET /healthz` says besides `status`. */
  health?: () => Record<string, unknown>;
  /** Checks what `GET /readyz` says. Absent: there is no such route. */
  readiness?: (() => Promise<ReadinessReport>) | undefined;
  /** Whether the process drains, so that new work is refused. */
  isDraining?: () => boolean;
  /** Adds the pages for people, if there are any: before other routes, which have some of the same paths. */
  addPages?: ((app: App) => void) | undefined;
  /** Adds the description of the API, if there is one. */
  addOpenApi?: ((app: App) => void) | undefined;
  /** Set behind a CDN that checks the store first: images are then requested by their keys instead of `/u/…`. */
  cdnOrigin?: CdnOrigin | undefined;
  /** Absent: there are no unit routes, because no token is configured. */
  unitRoutes?: UnitRoutesOptions | undefined;
}

/** Creates the HTTP application. It answers every error with a problem document. */
export function createApp(options: AppOptions): App {
  const {
    getVariant,
    cacheControl,
    tagHeaders = [],
    log,
    health,
    readiness,
    isDraining = () => false,
    addPages,
    addOpenApi,
    unitRoutes,
    cdnOrigin,
  } = options;
  const imageOptions = { getVariant, cacheControl, tagHeaders, cdnOrigin };
  const images = cdnOrigin ? `/${VARIANT_PREFIX}` : IMAGE_PATH_PREFIX.slice(0, -1);
  const app: App = new Hono({
    // Routes go by the path as it was sent: `Request.url` has lost `..` and `%2e`.
    getPath: (request, init) => pathOf(targetOf(request, init?.env as RawRequest | undefined)),
  });

  const recorder = createRequestRecorder(options);
  app.use(logRequests(recorder));
  app.get('/healthz', (c) =>
    c.json({ status: 'ok', ...health?.() }, 200, addCommonHeaders({ 'Cache-Control': 'no-store' })),
  );
  app.all('/healthz', refuseAllButGet);
  if (readiness) {
    app.get('/readyz', async (c) => sendReadiness(c, await readiness(), isDraining()));
    app.all('/readyz', refuseAllButGet);
  }
  addOpenApi?.(app);
  addPages?.(app);
  // For Hono, `/u/*` matches `/u` as well.
  app.all(images, refusePath);
  app.get(`${images}/*`, async (c) => {
    if (isDraining()) refuseWork(c);
    refuseLoop(c.req.header('cdn-loop'));
    const { method, headers } = c.req.raw;
    const request = {
      method,
      target: targetOf(c.req.raw, c.env),
      headers,
      viewer: () => viewerSignalOf(c.req.raw),
    };
    return toResponse(await answerImage(imageOptions, request, c.get('trace')));
  });
  app.options(`${images}/*`, answerPreflight);
  app.all(`${images}/*`, (c) => refuseMethod(c, 'GET, HEAD, OPTIONS'));
  if (unitRoutes) addUnitRoutes(app, { ...unitRoutes, tracing: options.tracing }, isDraining);
  app.all('*', refusePath);

  app.onError((error, c) => {
    const trace = c.get('trace');
    if (error instanceof ViewerLeft) {
      trace.outcome = 'abandoned';
      return new Response(null, { status: VIEWER_LEFT_STATUS });
    }
    // Before the error is logged.
    recorder.requestId(trace, error);
    return sendProblem(c, errorFor(error, log, trace));
  });
  return app;
}

function toResponse({ status, lasting, headers: own, body }: Answer): Response {
  const list = lasting ? [...lasting.list, ...own] : own;
  const headers = new Headers();
  for (let at = 0; at < list.length; at += 2) headers.set(list[at] as string, list[at + 1] as string);
  return new Response(body, { status, headers });
}

/** Not a problem document: it is no error of the request, and does not count as one. */
function sendReadiness(c: Context, { isReady, checks }: ReadinessReport, isDraining: boolean): Response {
  const status = isReady && !isDraining ? 200 : 503;
  const body = { status: status === 200 ? 'ready' : 'not ready', draining: isDraining, checks };
  return c.json(body, status, addCommonHeaders({ 'Cache-Control': 'no-store' }));
}

function refuseAllButGet(c: Context): never {
  refuseMethod(c, 'GET, HEAD');
}
