/** A request for a lock. */
export interface LockRequest {
  /** Unique to its owner. */
  id: number;
  name: string;
  limit: number;
  priority: number;
}

/** Grants locks to the workers of a cluster, in the order of priority and arrival. */
export interface LockServer<Owner> {
  acquire(owner: Owner, request: LockRequest): void;
  /** Releases a lock, or takes back a request that waits. */
  release(owner: Owner, id: number): void;
  /** Releases all locks of an owner, and forgets its requests: it has died. */
  forget(owner: Owner): void;
}

interface Claim<Owner> extends LockRequest {
  owner: Owner;
}

interface Lock<Owner> {
  held: Claim<Owner>[];
  waiting: Claim<Owner>[];
}

/** @param grant - tells an owner that it has a lock, and whether it had to wait */
export function createLockServer<Owner>(
  grant: (owner: Owner, id: number, hasWaited: boolean) => void,
): LockServer<Owner> {
  const locks = new Map<string, Lock<Owner>>();

  function grantNext(name: string, lock: Lock<Owner>): void {
    for (;;) {
      const next = lock.waiting[0];
      if (!next || lock.held.length >= next.limit) break;
      lock.waiting.shift();
      lock.held.push(next);
      grant(next.owner, next.id, true);
    }
    if (lock.held.length + lock.waiting.length === 0) locks.delete(name);
  }

  function remove(isRemoved: (claim: Claim<Owner>) => boolean): void {
    const isKept = (claim: Claim<Owner>) => !isRemoved(claim);
    for (const [name, lock] of locks) {
      const claims = lock.held.length + lock.waiting.length;
      lock.held = lock.held.filter(isKept);
      lock.waiting = lock.waiting.filter(isKept);
      if (lock.held.length + lock.waiting.length < claims) grantNext(name, lock);
    }
  }

  return {
    acquire(owner, request) {
      const claim = { ...request, owner };
      const lock = locks.get(request.name) ?? { held: [], waiting: [] };
      locks.set(request.name, lock);
      if (lock.waiting.length === 0 && lock.held.length < request.limit) {
        lock.held.push(claim);
        grant(owner, request.id, false);
        return;
      }
      const behind = lock.waiting.findIndex(({ priority }) => priority < request.priority);
      lock.waiting.splice(behind < 0 ? lock.waiting.length : behind, 0, claim);
    },
    release: (owner, id) => remove((claim) => claim.owner === owner && claim.id === id),
    forget: (owner) => remove((claim) => claim.owner === owner),
  };
}
