import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Server } from './radosgw.ts';

/** What slow tests need beside Node. It is prepared while tests that do not need it run. */
export interface Preparations {
  /** What is built, as `npm run build` does it. */
  built: { folder: string };
  /** The S3 of this test run, or why there is none. */
  s3: S3Server | { missing: string };
  /** The browser of this machine, or why there is none. */
  chromium: { path: string } | { missing: string };
  /** Why the programs that stand in for CloudFront are missing; `null` when they are there. */
  edge: string | null;
  /** Why the programs of examples/deploy are missing, beside nginx; `null` when they are there. */
  deploy: string | null;
  /** Why the AV1 decoder of Android is missing; `null` when it is there. */
  gav1: string | null;
  /** Why shells that completion is for are missing; `null` when they are there. */
  shells: string | null;
  /** Why languages that the examples of signing are written in are missing; `null` when they are there. */
  languages: string | null;
  /** Answered once nothing is being installed any more. */
  settled: null;
}

export type Promised = { readonly [Name in keyof Preparations]: Promise<Preparations[Name]> };

/** Tells the processes of tests what has been prepared, each as soon as it has: `GET /{name}` is answered then. */
export async function servePreparations(promised: Promised): Promise<{ url: string; close(): void }> {
  // Without a handler, one that fails before a test asks for it would end this process.
  for (const one of Object.values(promised)) one.catch(() => undefined);
  const server = createServer(async (request, response) => {
    try {
      const value = await promised[request.url?.slice(1) as keyof Preparations];
      response.end(JSON.stringify(value));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
