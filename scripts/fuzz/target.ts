import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageUrlParts, imageUrl } from '../../src/client/image-url.ts';
import { type Origin, startOrigin } from './origin.ts';
import { type ServerUnderTest, startServerUnderTest } from './server-under-test.ts';

/** The key of the server under test: inputs are signed with it. */
export const SIGNING_KEY = { id: 'fuzz', hex: '5e'.repeat(16) };
/** The token of its unit routes. */
export const ADMIN_TOKEN = 'fuzz-token';
/** An address at which nothing listens: connections to it are refused at once. */
export const CLOSED_AUTHORITY = '127.0.0.1:9';

/** What inputs are sent to: a server with a folder store, in a process of its own, and the origin of its sources. */
export interface Target {
  origin: Origin;
  server: ServerUnderTest;
  storeFolder: string;
  /** Signs an image URL. Returns its path and query. */
  sign(parts: Omit<ImageUrlParts, 'baseUrl'>): string;
  /** Starts the server again after it has ended, with the same store. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a target.
 *
 * @param file - the program to start; by default the service
 */
export async function startTarget(file = 'src/entry/server.ts'): Promise<Target> {
  const storeFolder = await mkdtemp(join(tmpdir(), 'edgepress-fuzz-'));
  const origin = await startOrigin();
  const env = {
    STORE: `file:${storeFolder}`,
    SIGNING_KEYS: `${SIGNING_KEY.id}:${SIGNING_KEY.hex}`,
    ADMIN_TOKEN,
    // Mutated URLs name other hosts: nothing may leave this machine.
    SOURCE_ALLOW: `http://${origin.authority}/*,http://${CLOSED_AUTHORITY}/*`,
    SOURCE_ALLOW_PRIVATE: `${origin.authority},${CLOSED_AUTHORITY}`,
    PREWARM_WIDTHS: '160',
    PREWARM_EFFORT: 'fast',
  };
  const target: Target = {
    origin,
    server: await startServerUnderTest(file, env),
    storeFolder,
    sign: (parts) => imageUrl({ baseUrl: '', ...parts }, SIGNING_KEY),
    async restart() {
      await target.server.stop();
      target.server = await startServerUnderTest(file, env);
    },
    async stop() {
      await target.server.stop();
      origin.close();
      await rm(storeFolder, { recursive: true, force: true });
    },
  };
  return target;
}
