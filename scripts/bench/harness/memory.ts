import { treeMemoryBytes } from './process-tree.ts';

const INTERVAL_MS = 500;

/** Reads the memory of a server and of its processes now and then. `stop` returns the most that it was, in bytes. */
export function watchMemory(pid: number): { stop(): number } {
  let peakBytes = 0;
  const look = () => {
    peakBytes = Math.max(peakBytes, treeMemoryBytes(pid));
  };
  const timer = setInterval(look, INTERVAL_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peakBytes;
    },
  };
}
