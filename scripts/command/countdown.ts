import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Lets time pass where a user can see it: on a terminal the seconds count down, elsewhere one line says how many there are.
 *
 * @param what - is waited for, as a sentence begins
 * @param signal - ends it early
 */
export async function countDown(seconds: number, what: string, signal?: AbortSignal): Promise<void> {
  const { stderr } = process;
  if (seconds > 0 && !stderr.isTTY) stderr.write(`${what}: ${seconds} s\n`);
  for (let left = seconds; left > 0 && !signal?.aborted; left--) {
    if (stderr.isTTY) stderr.write(`\r${what}: ${left} s\u001b[K`);
    await sleep(1000, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
  if (seconds > 0 && stderr.isTTY) stderr.write('\r\u001b[K');
}
