import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What a client that requests a hit again and again saw. */
export interface Probed {
  ms: number[];
  failures: number;
}

/** Starts to request URLs in turn, a hundred times a second at most, in a process of its own. */
export function startProbe(urls: readonly string[]): { stop(): Promise<Probed[]> } {
  const args = ['--import', 'tsx', 'scripts/bench/harness/hit-probe.ts', ...urls];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const output = text(child.stdout);
  return {
    async stop() {
      child.kill('SIGTERM');
      return JSON.parse(await output);
    },
  };
}
