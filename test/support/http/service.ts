import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { buildImageUrl, type ImageUrlParts } from '../../../src/client/image-url.ts';
import { readConfig } from '../../../src/config.ts';
import type { App } from '../../../src/http/http-request.ts';
import { createService } from '../../../src/http/service.ts';
import type { Overrides, Services } from '../../../src/services.ts';
import type { UnitServices } from '../../../src/unit-services.ts';
import { photograph } from '../pictures.ts';

/** A client's server, on loopback, that counts what it is asked for. */
export interface Origin {
  url: string;
  /** `host:port` */
  authority: string;
  /** The paths asked for so far. */
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

/** The whole service on a folder of its own, asked without a network between. */
export interface Service {
  app: App;
  /** Where its objects are. */
  folder: string;
  /** What it has logged: an object a line. */
  log: Record<string, unknown>[];
  services: Services;
  unitServices: UnitServices;
  storeFaults: () => Readonly<Record<string, number | undefined>>;
  /** Sends a request whose target is exactly this. */
  request(target: string, init?: RequestInit): Promise<Response>;
}

export async function startService(
  env: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<Service> {
  const folder = await temporaryFolder();
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => log.push(JSON.parse(line)) });
  const config = readConfig({ STORE: `file:${folder}`, ...env });
  const { app, services, unitServices, start, drain, close } = await createService(
    config,
    logger,
    {},
    overrides,
  );
  start();
  onTestFinished(async () => {
    await drain();
    await close();
  });
  return {
    app,
    folder,
    log,
    services,
    unitServices,
    storeFaults: services.storeFaults,
    request: async (target, init) => await app.request('/', init, { incoming: { url: target } }),
  };
}

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The request target of an image, unsigned. */
export function targetFor(src: string, said: Partial<ImageUrlParts> = {}): Promise<string> {
  return buildImageUrl({ baseUrl: '', unit: 'unit-1', src, ...said });
}

/** The code of a problem document, once it is seen to be one. */
export async function codeOf(response: Response): Promise<string> {
  const { code, status, detail } = (await response.json()) as Record<string, unknown>;
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error('not a problem document');
  if (status !== response.status || typeof detail !== 'string')
    throw new Error('not an honest problem document');
  return String(code);
}

/** A service, and one photograph that it may fetch. */
export async function setUpPhotograph(env: Record<string, string> = {}) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ...env });
  const src = `${origin.url}/photo.jpg`;
  return {
    photo,
    origin,
    service,
    src,
    target: (said?: Partial<ImageUrlParts>) => targetFor(src, { width: 320, ...said }),
  };
}
