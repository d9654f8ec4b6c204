import { createServer, request } from 'node:http';
import { listen } from '../source/loopback.ts';

/** A proxy before an S3 server that counts requests by kind, such as `GET`, `HEAD`, `LIST`. */
export interface CountingProxy {
  url: string;
  /** Returns the requests since the last call, such as `{ GET: 1, HEAD: 10 }`. */
  take(): Record<string, number>;
}

/** Starts a proxy on loopback, which is closed after the test. Signatures stay valid, since it passes the `Host` on. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  let counts: Record<string, number> = {};
  const proxy = await listen(
    createServer((incoming, outgoing) => {
      const { method, url: path, headers } = incoming;
      const kind = kindOf(method ?? '', path ?? '');
      counts[kind] = (counts[kind] ?? 0) + 1;
      const upstream = request({ hostname, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      upstream.on('error', () => outgoing.destroy());
      incoming.pipe(upstream);
    }),
    '127.0.0.1',
    0,
  );
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    take() {
      const taken = counts;
      counts = {};
      return taken;
    },
  };
}

function kindOf(method: string, path: string): string {
  if (path.includes('list-type=2')) return 'LIST';
  // S3 deletes many objects by one POST.
  if (method === 'POST' && path.includes('delete')) return 'DELETE';
  // Of the bucket: once in the life of a process.
  return method === 'HEAD' &&
    !path
      .slice(1)
      .replace(/\/?(\?.*)?$/, '')
      .includes('/')
    ? 'HEAD bucket'
    : method;
}
