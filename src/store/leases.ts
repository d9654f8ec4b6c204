import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { hasEnded, type LeaseHolder, leaseHolderSchema } from './lease-holder.ts';
import type { VariantStore } from './store.ts';

const leasesSchema = z.object({
  leases: z.array(
    z.object({
      holder: leaseHolderSchema,
      /** How many places of what is shared it holds: 1 or more. */
      slots: z.int().min(1),
      /** When others may take the slots, in Unix milliseconds. The holder renews it long before. */
      untilMs: z.number(),
    }),
  ),
  /** Until when some process without slots waits for one, in Unix milliseconds. */
  waitingUntilMs: z.number().default(0),
  /** Until when what is shared must not be used, in Unix milliseconds. */
  notBeforeMs: z.number().default(0),
});

/** Who uses something that processes share: the content of an object of the store. */
export type Leases = z.infer<typeof leasesSchema>;

const NO_LEASES: Leases = { leases: [], waitingUntilMs: 0, notBeforeMs: 0 };
const JSON_OBJECT = { contentType: 'application/json' };
/** Each failed attempt means that another process was faster. */
const MAX_ATTEMPTS = 50;
const MAX_PAUSE_MS = 100;

/** Returns the leases at a key. */
async function readLeases(
  store: Pick<VariantStore, 'get'>,
  key: string,
): Promise<{ leases: Leases; etag: string | undefined }> {
  const object = await store.get(key);
  if (!object) return { leases: NO_LEASES, etag: undefined };
  return { leases: parse(object.body), etag: object.etag };
}

/** What cannot be read was not written by this program: it is replaced. */
function parse(body: Uint8Array): Leases {
  try {
    return leasesSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return NO_LEASES;
  }
}

/**
 * Changes the leases at a key, by compare and swap: a change is never based on anything but what it replaces.
 *
 * @param change - returns the leases to store; `undefined`: nothing is to be changed. It is called again when another process was faster
 * @returns what is stored now
 * @throws Error of the store, or when others were faster at every attempt
 */
export async function changeLeases(
  store: Pick<VariantStore, 'get' | 'replace'>,
  key: string,
  change: (leases: Leases) => Leases | undefined,
): Promise<Leases> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const { leases, etag } = await readLeases(store, key);
    const changed = change(leases);
    if (!changed) return leases;
    const body = new TextEncoder().encode(JSON.stringify(changed));
    if (await store.replace(key, etag, body, JSON_OBJECT)) return changed;
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  throw new Error(`the leases at ${key} could not be stored: others changed them at every attempt`);
}

/** Returns how many slots a holder has. */
export function slotsOf({ leases }: Leases, { id }: LeaseHolder): number {
  return leases.find(({ holder }) => holder.id === id)?.slots ?? 0;
}

export interface LeaseRequest {
  holder: LeaseHolder;
  /** How many slots the holder is to have; 0 returns those that it has. */
  wanted: number;
  /** How many slots there are for all holders together. */
  limit: number;
  /** By the clock of this machine, in Unix milliseconds. Clocks of holders must agree to within some seconds. */
  nowMs: number;
  /** For how long. */
  leaseMs: number;
}

/** Returns the leases with as many slots for a holder as it wants, if so many are free. Leases that have expired, or whose process has ended, are gone. */
export function withSlots(leases: Leases, { holder, wanted, limit, nowMs, leaseMs }: LeaseRequest): Leases {
  const others = leases.leases.filter(
    (lease) => lease.holder.id !== holder.id && lease.untilMs > nowMs && !hasEnded(lease.holder),
  );
  const taken = others.reduce((sum, { slots }) => sum + slots, 0);
  const slots = Math.min(wanted, Math.max(0, limit - taken));
  if (slots === 0) return { ...leases, leases: others };
  return { ...leases, leases: [...others, { holder, slots, untilMs: nowMs + leaseMs }] };
}
