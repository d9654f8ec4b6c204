import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** No put takes this long, so what is older belongs to nobody, whatever its name says. */
const MAX_AGE_MS = 3_600_000;
const NAME = /^(?<host>.+)\.(?<pid>\d+)\.[0-9a-f-]{36}$/;
const HOST = hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'localhost';

/** A name for a temporary file that says who writes it: `{host}.{process}.{random}`. */
export function temporaryName(): string {
  return `${HOST}.${process.pid}.${randomUUID()}`;
}

/**
 * Removes the temporary files that nobody is going to finish: those of processes of this host that are no more, and any that is
 * older than an hour. What cannot be removed stays for the next sweep: litter is no reason not to serve.
 */
export function sweepTemporaries(folder: string): void {
  for (const name of namesIn(folder)) {
    const owner = NAME.exec(name)?.groups;
    if (owner === undefined) continue;
    const path = join(folder, name);
    try {
      const { mtimeMs } = statSync(path);
      const abandoned =
        Date.now() - mtimeMs > MAX_AGE_MS ||
        (owner['host'] === HOST && !isAlive(Number(owner['pid']), mtimeMs));
      if (abandoned) rmSync(path, { force: true });
    } catch {
      // Its owner was faster, or it is not ours to touch.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there before the first put. What is wrong otherwise, that put will say.
    return [];
  }
}

/** Whether the process that wrote a file at `mtimeMs` still runs. */
function isAlive(pid: number, mtimeMs: number): boolean {
  // In a container every life of the service has the same number: what is older than this life is of an earlier one.
  if (pid === process.pid) return mtimeMs >= Date.now() - process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
