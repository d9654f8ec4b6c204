import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { listen } from '../source/loopback.ts';

/** A TCP proxy that can fall silent: it then accepts connections and bytes, and never answers. */
export interface PausingProxy {
  url: string;
  /** No byte of the target arrives until `resume`. */
  pause(): void;
  resume(): void;
}

/** Starts a proxy on loopback before a server there, which is closed after the test. */
export async function startPausingProxy(target: string): Promise<PausingProxy> {
  const { hostname, port } = new URL(target);
  const upstreams = new Set<Socket>();
  let isPaused = false;
  const proxy = await listen(
    createServer((client) => {
      const upstream = connect({ host: hostname, port: Number(port) });
      upstreams.add(upstream);
      for (const socket of [client, upstream]) {
        socket.on('error', () => {});
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
          upstreams.delete(upstream);
        });
      }
      client.pipe(upstream);
      upstream.on('data', (bytes: Buffer) => client.write(bytes));
      if (isPaused) upstream.pause();
    }),
    '127.0.0.1',
    0,
  );
  onTestFinished(() => {
    for (const upstream of upstreams) upstream.destroy();
  });
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    pause() {
      isPaused = true;
      for (const upstream of upstreams) upstream.pause();
    },
    resume() {
      isPaused = false;
      for (const upstream of upstreams) upstream.resume();
    },
  };
}
