import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BundleTarget, bundleEntries } from './build-lambda.ts';

const DOCKERFILE = join(import.meta.dirname, 'worker-image/Dockerfile');

/**
 * Writes the Dockerfile of the workers and what it copies: the server, which works on the queue, and its encoder processes.
 *
 * @param folder - exists, and is empty
 * @throws Error when the build fails, or sharp cannot be downloaded
 */
export function buildWorkerImage(folder: string, target: BundleTarget): void {
  writeDockerfile(folder);
  const app = join(folder, 'app');
  mkdirSync(app);
  const entryPoints = {
    server: 'src/entry/server.ts',
    // A program of its own, started by file name from the folder of the server.
    'encoder-process': 'src/encode/pool/process-main.ts',
  };
  bundleEntries(app, entryPoints, target);
}

/** Writes the Dockerfile alone, for a template that is only looked at. */
export function writeDockerfile(folder: string): void {
  copyFileSync(DOCKERFILE, join(folder, 'Dockerfile'));
}
