import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The server of the sources of inputs. */
export interface Origin {
  /** `host:port`. */
  authority: string;
  /** Serves bytes at a URL of their own, until they are withdrawn. */
  serve(bytes: Uint8Array): { url: string; withdraw(): void };
  close(): void;
}

export async function startOrigin(): Promise<Origin> {
  const files = new Map<string, Uint8Array>();
  let count = 0;
  const server = createServer((request, response) => {
    const bytes = files.get(request.url ?? '');
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    authority,
    serve(bytes) {
      const path = `/${count++}`;
      files.set(path, bytes);
      return { url: `http://${authority}${path}`, withdraw: () => void files.delete(path) };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
