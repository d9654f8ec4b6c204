/** A request for a lock. */
export interface LockRequest {
  /** Unique to its owner. */
  id: number;
  name: string;
  /** How many may hold the lock at the same time. */
  limit: number;
  priority: number;
  /** Whom it is for, if several share the lock fairly. */
  share?: Share | undefined;
  /** Whether it gives way to those that do not: these wait only for each other. Default: `false`. */
  yields?: boolean | undefined;
}

/**
 * A part of a lock's limit, such as the places for fetching that one host takes. The key that holds the fewest gets the next one, and a key
 * gets another only while it holds fewer than are free: a dynamic threshold, as switches use to share memory between queues (Choudhury and
 * Hahne, "Dynamic queue length thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998). So one key
 * alone may take half, several that hold on to theirs leave some to others, and the last one goes to a key that has none.
 */
export interface Share {
  key: string;
  /** The most that the key may hold. */
  limit: number;
}

/** Who holds which lock, and who waits for it. */
export interface LockTable<Owner> {
  /** Grants a lock at once, or when its turn comes: by priority, then fairly between shares, then by arrival. */
  acquire(owner: Owner, request: LockRequest): void;
  /** Releases a lock, or withdraws a request that still waits. */
  release(owner: Owner, id: number): void;
  /** Releases all locks of an owner, and forgets its requests: it has died. */
  forget(owner: Owner): void;
}

interface Claim<Owner> extends LockRequest {
  owner: Owner;
}

interface Lock<Owner> {
  held: Set<Claim<Owner>>;
  waiting: Claim<Owner>[];
  /** When one that does not yield last got or released it. */
  lastUrgentMs: number;
}

/** For this long after one that does not yield, the next is expected: those that yield leave a place free for it, if there are several. */
const EXPECTED_MS = 10_000;

/**
 * @param grant - tells an owner that it has a lock, and whether it had to wait
 * @param nowMs - the time of a monotonic clock, in milliseconds
 */
export function createLockTable<Owner>(
  grant: (owner: Owner, id: number, hasWaited: boolean) => void,
  nowMs: () => number = () => performance.now(),
): LockTable<Owner> {
  const locks = new Map<string, Lock<Owner>>();
  /** The claims that are held or wait, by owner and id. */
  const claims = new Map<Owner, Map<number, Claim<Owner>>>();

  /** @param newcomer - has not had to wait, if it is granted now */
  function grantWaiting(name: string, lock: Lock<Owner>, newcomer?: Claim<Owner>): void {
    for (;;) {
      const next = nextOf(lock, nowMs());
      if (!next) break;
      lock.waiting.splice(lock.waiting.indexOf(next), 1);
      lock.held.add(next);
      if (!next.yields) lock.lastUrgentMs = nowMs();
      grant(next.owner, next.id, next !== newcomer);
    }
    if (lock.held.size + lock.waiting.length === 0) locks.delete(name);
  }

  function remove(claim: Claim<Owner>): void {
    claims.get(claim.owner)?.delete(claim.id);
    const lock = locks.get(claim.name);
    if (!lock) return;
    if (!lock.held.delete(claim)) lock.waiting = lock.waiting.filter((other) => other !== claim);
    else if (!claim.yields) lock.lastUrgentMs = nowMs();
    grantWaiting(claim.name, lock);
  }

  return {
    acquire(owner, request) {
      const claim = { ...request, owner };
      const own = claims.get(owner) ?? new Map<number, Claim<Owner>>();
      claims.set(owner, own.set(claim.id, claim));
      const lock = locks.get(request.name) ?? { held: new Set(), waiting: [], lastUrgentMs: -Infinity };
      locks.set(request.name, lock);
      const behind = lock.waiting.findIndex(({ priority }) => priority < request.priority);
      lock.waiting.splice(behind < 0 ? lock.waiting.length : behind, 0, claim);
      grantWaiting(request.name, lock, claim);
    },
    release(owner, id) {
      const claim = claims.get(owner)?.get(id);
      if (claim) remove(claim);
    },
    forget(owner) {
      const own = [...(claims.get(owner)?.values() ?? [])];
      claims.delete(owner);
      // First, so that it is granted nothing of what it held itself.
      for (const lock of locks.values()) lock.waiting = lock.waiting.filter((claim) => claim.owner !== owner);
      for (const claim of own) remove(claim);
    },
  };
}

/** Who holds a lock now. */
interface Usage {
  all: number;
  /** Those that do not yield. */
  urgent: number;
  byShare: Map<string | undefined, number>;
  /** Places that those that yield leave free. */
  kept: number;
}

function usageOf<Owner>({ held, lastUrgentMs }: Lock<Owner>, nowMs: number): Usage {
  const byShare: Usage['byShare'] = new Map();
  let urgent = 0;
  for (const { share, yields } of held) {
    if (!yields) urgent++;
    if (share) byShare.set(share.key, (byShare.get(share.key) ?? 0) + 1);
  }
  return { all: held.size, urgent, byShare, kept: nowMs - lastUrgentMs < EXPECTED_MS ? 1 : 0 };
}

function isGrantable({ limit, share, yields }: LockRequest, { all, urgent, byShare, kept }: Usage): boolean {
  const isFree = yields ? all < Math.max(1, limit - kept) : urgent < limit;
  if (!isFree || !share) return isFree;
  return (byShare.get(share.key) ?? 0) < Math.min(share.limit, limit - all);
}

/** Returns the claim that is granted next; `undefined` if all that wait have to wait on. */
function nextOf<Owner>(lock: Lock<Owner>, nowMs: number): Claim<Owner> | undefined {
  if (lock.waiting.length === 0) return undefined;
  const usage = usageOf(lock, nowMs);
  let next: Claim<Owner> | undefined;
  let fewest = Infinity;
  for (const claim of lock.waiting) {
    if (next && claim.priority < next.priority) break;
    const heldByShare = usage.byShare.get(claim.share?.key) ?? 0;
    if (heldByShare >= fewest || !isGrantable(claim, usage)) continue;
    next = claim;
    fewest = heldByShare;
  }
  return next;
}
