/** A request for a lock. */
export interface LockRequest {
  /** Unique to its owner. */
  id: number;
  name: string;
  /** How many may hold the lock at the same time. */
  limit: number;
  priority: number;
}

/** Who holds which lock, and who waits for it. */
export interface LockTable<Owner> {
  /** Grants a lock at once, or when its turn comes: by priority, then by arrival. */
  acquire(owner: Owner, request: LockRequest): void;
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
}

/** @param grant - tells an owner that it has a lock, and whether it had to wait */
export function createLockTable<Owner>(
  grant: (owner: Owner, id: number, hasWaited: boolean) => void,
): LockTable<Owner> {
  const locks = new Map<string, Lock<Owner>>();
  /** The claims that are held, by owner and id. */
  const held = new Map<Owner, Map<number, Claim<Owner>>>();

  function hold(lock: Lock<Owner>, claim: Claim<Owner>, hasWaited: boolean): void {
    const own = held.get(claim.owner) ?? new Map<number, Claim<Owner>>();
    held.set(claim.owner, own.set(claim.id, claim));
    lock.held.add(claim);
    grant(claim.owner, claim.id, hasWaited);
  }

  function grantNext(name: string, lock: Lock<Owner>): void {
    for (;;) {
      const next = lock.waiting[0];
      if (!next || lock.held.size >= next.limit) break;
      lock.waiting.shift();
      hold(lock, next, true);
    }
    if (lock.held.size + lock.waiting.length === 0) locks.delete(name);
  }

  function release(claim: Claim<Owner>): void {
    const lock = locks.get(claim.name);
    if (!lock?.held.delete(claim)) return;
    held.get(claim.owner)?.delete(claim.id);
    grantNext(claim.name, lock);
  }

  return {
    acquire(owner, request) {
      const claim = { ...request, owner };
      const lock = locks.get(request.name) ?? { held: new Set(), waiting: [] };
      locks.set(request.name, lock);
      if (lock.waiting.length === 0 && lock.held.size < request.limit) return hold(lock, claim, false);
      const behind = lock.waiting.findIndex(({ priority }) => priority < request.priority);
      lock.waiting.splice(behind < 0 ? lock.waiting.length : behind, 0, claim);
    },
    release(owner, id) {
      const claim = held.get(owner)?.get(id);
      if (claim) release(claim);
    },
    forget(owner) {
      // First, so that it is granted nothing of what it held itself.
      for (const lock of locks.values()) lock.waiting = lock.waiting.filter((claim) => claim.owner !== owner);
      for (const claim of held.get(owner)?.values() ?? []) release(claim);
      held.delete(owner);
    },
  };
}
