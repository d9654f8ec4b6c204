import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';

/** Who holds a lease: a process. */
export const leaseHolderSchema = z.object({
  id: z.string(),
  /** Where its process id means something: a boot of a machine, and a namespace of processes on it, which a container has for itself. */
  machine: z.string(),
  pid: z.int(),
});

export type LeaseHolder = z.infer<typeof leaseHolderSchema>;

/** Returns a holder that is different from all others, in this process too. */
export function createLeaseHolder(): LeaseHolder {
  return { id: randomUUID(), machine: nameOfMachine(), pid: process.pid };
}

/** Whether the process of a holder is known to have ended. That of another machine never is. */
export function hasEnded({ machine, pid }: LeaseHolder): boolean {
  if (machine !== nameOfMachine()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

let name: string | undefined;

function nameOfMachine(): string {
  name ??= readName();
  return name;
}

/** Linux has both parts. Elsewhere there are no such namespaces. Machines of Lambda are copies of each other, which have the same of both. */
function readName(): string {
  // biome-ignore lint/style/noProcessEnv: it says what the machine is, and configures nothing.
  if (process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined) return randomUUID();
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
