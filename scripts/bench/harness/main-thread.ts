import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The longest that the main thread worked without giving way, in milliseconds. */
export interface Stretch {
  /** Of CPU time. */
  cpuMs: number;
  /** From beginning to end: longer where the machine has other work. */
  wallMs: number;
}

/** Measures the main thread of a server that is started with `env`. */
export interface MainThreadMeter {
  env: Record<string, string>;
  /** Returns the longest stretch since the last call. */
  take(): Stretch;
}

/** @param folder - for the file in which the server writes */
export function createMainThreadMeter(folder: string): MainThreadMeter {
  const file = join(folder, 'main-thread');
  writeFileSync(file, '');
  let read = 0;
  return {
    env: {
      MAIN_THREAD_FILE: file,
      NODE_OPTIONS: `--import ${resolve('scripts/bench/harness/main-thread-preload.mjs')}`,
    },
    take() {
      const all = readFileSync(file, 'utf8');
      const lines = all.slice(read).split('\n').filter(Boolean);
      read = all.length;
      const stretches = lines.map((line) => line.split(' ').map(Number));
      const [cpuMs = 0, wallMs = 0] = stretches.sort(([a = 0], [b = 0]) => b - a)[0] ?? [];
      return { cpuMs, wallMs };
    },
  };
}
