import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EdgepressError } from '../protocol/error.ts';
import { IMAGE_PATH_PREFIX } from '../protocol/request.ts';
import type { GetVariant } from '../variant/get-variant.ts';
import { createTrace, type Trace } from '../variant/trace.ts';
import { headerList, type VariantHeadersOptions } from './image-headers.ts';
import { type Answer, answerImage, type RequestHeaders } from './image-route.ts';
import { createRequestRecorder, REQUEST_ID_HEADER, type RequestLogOptions } from './request-log.ts';
import { writeHead } from './response-head.ts';
import { errorFor, problemOf, refuseLoop } from './responses.ts';
import { VIEWER_LEFT_STATUS, ViewerLeft, viewerSignal } from './viewer-signal.ts';

/** Answers a request if it is one for an image; otherwise returns `false`, and the app answers it. */
export type ImageHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export interface ImageHandlerOptions extends RequestLogOptions, VariantHeadersOptions {
  getVariant: GetVariant;
  /** While the process drains, the app refuses images. */
  isDraining: () => boolean;
}

/** Values of `Host` of which no parser would find fault: the app names what is wrong with others. */
const PLAIN_HOST = /^[\w.-]+(?::\d+)?$/;

/**
 * Returns the handler that answers requests for images on Node's own request and response. It does what the app does, and spares a hit
 * the `Request` and `Response` of the Fetch standard and the router: two thirds of its time.
 */
export function createImageHandler(options: ImageHandlerOptions): ImageHandler {
  const { getVariant, cacheControl, tagHeaders = [], isDraining, log } = options;
  const imageOptions = { getVariant, cacheControl, tagHeaders, cdnOrigin: undefined };
  const recorder = createRequestRecorder(options);

  function handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const headers = new IncomingHeaders(incoming);
    const exchange = { method: incoming.method ?? '', outgoing, trace: createTrace(headers) };
    try {
      // A function with a name of its own, as in an object, would cost a twentieth of a hit: the bundler keeps names.
      const answer = answerRequest(incoming, headers, () => viewerSignal(outgoing), exchange.trace);
      if (answer instanceof Promise)
        void answer.then((made) => send(exchange, made)).catch((error) => fail(exchange, error));
      else send(exchange, answer);
    } catch (error) {
      fail(exchange, error);
    }
  }

  function answerRequest(
    { method = '', url: target = '' }: IncomingMessage,
    headers: IncomingHeaders,
    viewer: () => AbortSignal,
    trace: Trace,
  ): Answer | Promise<Answer> {
    refuseLoop(headers.get('cdn-loop'));
    const request = { method, target, headers, viewer };
    return answerImage(imageOptions, request, trace);
  }

  /** @throws Error for what cannot be in a header: a stored object may have been damaged. */
  function send(
    { method, outgoing, trace }: Exchange,
    { status, lasting, headers, body }: Answer,
    error?: Error,
  ): void {
    const id = recorder.requestId(trace, error);
    if (id !== undefined) headers.push(REQUEST_ID_HEADER, id);
    writeHead(outgoing, status, lasting, headers);
    const totalMs = performance.now() - trace.startMs;
    recorder.record({ method, status, trace, error, totalMs });
    outgoing.end(body);
  }

  function fail(exchange: Exchange, error: unknown): void {
    const { method, trace } = exchange;
    if (error instanceof ViewerLeft) {
      trace.outcome = 'abandoned';
      const totalMs = performance.now() - trace.startMs;
      recorder.record({ method, status: VIEWER_LEFT_STATUS, trace, error: undefined, totalMs });
      return;
    }
    // Before the error is logged.
    recorder.requestId(trace, error as Error);
    send(exchange, problemAnswer(errorFor(error, log, trace), method, trace), error as Error);
  }

  return (incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    const isImage = (method === 'GET' || method === 'HEAD') && url.startsWith(IMAGE_PATH_PREFIX);
    if (!isImage || isDraining() || !PLAIN_HOST.test(headers.host ?? '')) return false;
    handle(incoming, outgoing);
    return true;
  };
}

/** A request that is being answered. */
interface Exchange {
  method: string;
  outgoing: ServerResponse;
  trace: Trace;
}

function problemAnswer(error: EdgepressError, method: string, trace: Trace): Answer {
  const { status, headers, body } = problemOf(error, trace.secondsToExpiry);
  const bytes = Buffer.from(body);
  headers['Content-Length'] = String(bytes.byteLength);
  if (method === 'HEAD') return { status, headers: headerList(headers), body: null };
  trace.bytesOut = bytes.byteLength;
  return { status, headers: headerList(headers), body: bytes };
}

class IncomingHeaders implements RequestHeaders {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}
