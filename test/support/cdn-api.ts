import { text } from 'node:stream/consumers';
import { startOrigin } from './http/service.ts';

/** A call that a CDN's API got. */
export interface ApiCall {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** How the stub answers; `undefined`: it closes the connection without an answer. */
export type ApiAnswer = { status: number; body?: string; headers?: Record<string, string> } | undefined;

/** A server on loopback in the place of a CDN's API, or of a cache that takes `PURGE`. */
export async function startCdnApi(answer: (nth: number, call: ApiCall) => ApiAnswer) {
  const calls: ApiCall[] = [];
  const origin = await startOrigin(async (request, response) => {
    const { method = '', url = '', headers } = request;
    calls.push({ method, path: url, headers, body: await text(request) });
    const answered = answer(calls.length, calls.at(-1) as ApiCall);
    if (answered === undefined) response.destroy();
    else response.writeHead(answered.status, answered.headers).end(answered.body);
  });
  return { endpoint: origin.url, calls };
}
