import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type ImageUrlParts, imageUrl } from '../../../src/client/image-url.ts';
import { readConfig } from '../../../src/config.ts';
import type { App } from '../../../src/http/http-request.ts';
import type { ImageHandler } from '../../../src/http/image-handler.ts';
import { createService } from '../../../src/http/service.ts';
import type { Overrides, Services } from '../../../src/services.ts';
import { logOptions } from '../../../src/telemetry/log-options.ts';
import type { UnitServices } from '../../../src/unit-services.ts';
import { photograph } from '../pictures.ts';

/** A client's server on loopback that records requests. */
export interface Origin {
  url: string;
  /** `host:port` */
  authority: string;
  /** The paths of the requests so far. */
  requests: string[];
}

export async function startOrigin(answer: RequestListener): Promise<Origin> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${authority}`, authority, requests };
}

/** An origin that holds each response until the test answers it. */
export async function startHeldOrigin(picture?: Buffer) {
  const photo = picture ?? (await photograph());
  const held: ServerResponse[] = [];
  const origin = await startOrigin((_request, response) => held.push(response));
  const sendPhoto = (response: ServerResponse): unknown => response.end(photo);
  const answerAll = (answer = sendPhoto) => {
    for (const response of held.splice(0)) answer(response);
  };
  return { origin, held, answerAll };
}

/** How often a program is asked that needs the processor for what is waited for. */
const POLL_MS = 10;

/** Resolves once the condition holds. The test's timeout is the only limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (;;) {
    const result = condition();
    if (await result) return;
    await new Promise((resolve) =>
      result instanceof Promise ? setTimeout(resolve, POLL_MS) : setImmediate(resolve),
    );
  }
}

/** The whole service on a folder of its own, called without a network. */
export interface Service {
  app: App;
  handleImage: ImageHandler;
  /** The root of its store. */
  folder: string;
  /** What it has logged: one object per line. */
  log: Record<string, unknown>[];
  services: Services;
  unitServices: UnitServices;
  storeFaults: () => Readonly<Record<string, number | undefined>>;
  /** Drains and closes it before the test ends. */
  stop(): Promise<void>;
  /** Sends a request with exactly this target. */
  request(target: string, init?: RequestInit): Promise<Response>;
}

export async function startService(
  env: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<Service> {
  const folder = await temporaryFolder();
  const log: Record<string, unknown>[] = [];
  const logger = pino(logOptions('debug'), { write: (line) => log.push(JSON.parse(line)) });
  const config = readConfig({ STORE: `file:${folder}`, ENCODER_PROCESSES: 'off', ...env });
  const { app, handleImage, services, unitServices, start, drain, close } = await createService(
    config,
    logger,
    {},
    overrides,
  );
  start();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= drain().then(close);
    return stopping;
  };
  onTestFinished(stop);
  return {
    app,
    handleImage,
    folder,
    log,
    services,
    unitServices,
    storeFaults: services.storeFaults,
    stop,
    request: async (target, init) => await app.request('/', init, { incoming: { url: target } }),
  };
}

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-test-'));
  // Processes that were killed with their parent may still write while it is removed.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** Returns the request target of an image, unsigned. */
export function targetFor(src: string, parts: Partial<ImageUrlParts> = {}): string {
  return imageUrl({ baseUrl: '', unit: 'unit-1', src, ...parts });
}

/** Returns the code of a problem document. Throws if it is not one, or its status differs from the response's. */
export async function codeOf(response: Response): Promise<string> {
  const { code, status, detail } = (await response.json()) as Record<string, unknown>;
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error('not a problem document');
  if (status !== response.status || typeof detail !== 'string')
    throw new Error('the problem document does not match the response');
  return String(code);
}

/** A service and one photograph that it may fetch. */
export async function setUpPhotograph(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ...env }, overrides);
  const src = `${origin.url}/photo.jpg`;
  return {
    photo,
    origin,
    service,
    src,
    target: (parts?: Partial<ImageUrlParts>) => targetFor(src, { width: 320, ...parts }),
  };
}
