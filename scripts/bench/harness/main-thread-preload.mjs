// Loaded into the server before its own code: measures how long its main thread works at a stretch. perf_hooks' `monitorEventLoopDelay`
// counts also the time in which the machine runs other processes, and its own interval of 10 ms; this counts CPU time of the thread.
import { appendFileSync, openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const INTERVAL_MS = 1;
const LEAST_MS = 2;
const file = process.env.MAIN_THREAD_FILE;
// Processes that the server starts, such as those that encode, have the same environment, but are told so by a channel.
if (file && isMainThread && process.channel === undefined && process.argv[1]?.endsWith('server.mjs')) {
  // The time that the thread has been on a CPU, in nanoseconds, is the first number in it.
  const schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const text = Buffer.alloc(64);
  const cpuMs = () =>
    Number(text.toString('latin1', 0, readSync(schedstat, text, 0, 64, 0)).split(' ', 1)[0]) / 1e6;
  let last = { cpu: cpuMs(), wall: performance.now() };
  const look = () => {
    const now = { cpu: cpuMs(), wall: performance.now() };
    const stretch = { cpu: now.cpu - last.cpu, wall: now.wall - last.wall - INTERVAL_MS };
    if (stretch.cpu >= LEAST_MS)
      appendFileSync(file, `${stretch.cpu.toFixed(2)} ${stretch.wall.toFixed(2)}\n`);
    last = { cpu: cpuMs(), wall: performance.now() };
    setTimeout(look, INTERVAL_MS).unref();
  };
  look();
}
