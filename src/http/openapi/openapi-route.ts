import type { App } from '../http-request.ts';
import { addCommonHeaders, refuseMethod } from '../responses.ts';
import type { ApiConfig } from './document.ts';

/** It changes with the configuration only, but who has just changed that wants to see it. */
const CACHE_CONTROL = 'public, max-age=300';

/** Adds `GET /openapi.json`: what there is here to ask for, in OpenAPI 3.1. It is made at the first request. */
export function addOpenApiRoute(app: App, config: ApiConfig): void {
  let text: Promise<string> | undefined;
  app.get('/openapi.json', async (c) => {
    text ??= renderDocument(config);
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': CACHE_CONTROL };
    return c.body(await text, 200, addCommonHeaders(headers));
  });
  app.all('/openapi.json', (c) => refuseMethod(c, 'GET, HEAD'));
}

async function renderDocument(config: ApiConfig): Promise<string> {
  const { createOpenApiDocument } = await import('./document.ts');
  return `${JSON.stringify(createOpenApiDocument(config))}\n`;
}
