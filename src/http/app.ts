import { type Context, Hono } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import { EdgepressError } from '../error.ts';
import type { GetVariant } from '../variant/get-variant.ts';
import { createTrace, type Trace } from '../variant/trace.ts';
import { answerImage } from './image-route.ts';
import { OPEN_HEADERS } from './open-headers.ts';
import { answerProblem } from './problem.ts';
import { logRequest } from './request-log.ts';
import { pathOf, type RawRequest, targetOf } from './request-target.ts';

export interface AppOptions {
  getVariant: GetVariant;
  log: Logger;
  /** What `GET /healthz` says beside that the process lives. */
  health?: () => Record<string, unknown>;
  /** Whether to refuse new work, since the process is about to end. */
  isClosing?: () => boolean;
  /** The page at `/`, if there is one. */
  frontPage?: () => string | Promise<string>;
}

type Environment = { Bindings: RawRequest; Variables: { trace: Trace } };
export type App = Hono<Environment>;

/** Makes the HTTP application: requests in, answers out. Whatever goes wrong is answered with a problem document. */
export function createApp({ getVariant, log, health, isClosing, frontPage }: AppOptions): App {
  // Hono routes on the path as it was sent, since `Request.url` has lost `..` and `%2e`.
  const app: App = new Hono({
    getPath: (request, options) => pathOf(targetOf(request, options?.env as RawRequest | undefined)),
  });

  app.use(async (c, next) => {
    const trace = createTrace();
    c.set('trace', trace);
    const start = performance.now();
    await next();
    logRequest(log, c, trace, performance.now() - start);
  });
  app.get('/healthz', (c) =>
    c.json({ status: 'ok', ...health?.() }, 200, { ...OPEN_HEADERS, 'Cache-Control': 'no-store' }),
  );
  app.all('/healthz', refuseMethod);
  if (frontPage) {
    app.get('/', (c) => c.html(frontPage(), 200, { 'X-Content-Type-Options': 'nosniff' }));
    app.all('/', refuseMethod);
  }
  // Hono takes `/u` for one of `/u/*`.
  app.all('/u', refusePath);
  app.get('/u/*', (c) => {
    if (isClosing?.()) throw shuttingDown(c);
    if (comesFromHere(c.req.header('cdn-loop'))) throw requestLoop();
    return answerImage(getVariant, targetOf(c.req.raw, c.env), c.req.raw, c.get('trace'));
  });
  app.all('/u/*', refuseMethod);
  app.all('*', refusePath);

  app.onError((error, c) => {
    if (error instanceof EdgepressError) return sendProblem(c, error);
    log.error({ err: error, unit: c.get('trace').unit }, 'a bug: no input may cause this');
    return sendProblem(c, new EdgepressError('internal', 'Something went wrong here, and was logged'));
  });
  return app;
}

function sendProblem(c: Context<Environment>, error: EdgepressError): Response {
  const { code, message: detail, parameter, retryAfterSeconds } = error;
  const { status, headers, body } = answerProblem({ code, detail, parameter, retryAfterSeconds });
  if (c.req.method !== 'HEAD') c.get('trace').bytesOut = Buffer.byteLength(body);
  return c.newResponse(body, status as StatusCode, { ...OPEN_HEADERS, ...headers });
}

function refusePath(): never {
  throw new EdgepressError('not_found', 'There is nothing here: images are at /u/{unit}?src=…');
}

function refuseMethod(c: Context): never {
  c.header('Allow', 'GET, HEAD');
  throw new EdgepressError('method_not_allowed', `${c.req.method} is not allowed here; GET and HEAD are`);
}

function shuttingDown(c: Context): EdgepressError {
  c.header('Connection', 'close');
  return new EdgepressError('overloaded', 'The server is shutting down: try again', { retryAfterSeconds: 5 });
}

/** RFC 8586: a source that leads back here would otherwise be asked for without end. */
function comesFromHere(cdnLoop: string | undefined): boolean {
  return cdnLoop?.split(',').some((cdn) => cdn.split(';')[0]?.trim().toLowerCase() === 'edgepress') ?? false;
}

function requestLoop(): EdgepressError {
  return new EdgepressError(
    'source_forbidden',
    'The source of an image leads back to this service: requests go in a circle',
  );
}
