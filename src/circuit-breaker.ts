import { LRUCache } from 'lru-cache';
import { backoffDelay, withJitter } from './backoff.ts';

/**
 * Circuit breakers: one for each target, such as a host. After several failures in a row the circuit of a target opens, and requests to it
 * are refused at once. When its delay is over, a single request is let through to probe the target (half-open): its success closes the
 * circuit, its failure opens it again for longer.
 */
export interface CircuitBreakers {
  /** Returns why a request to a target would be refused just now; `undefined` if it may be sent. A refusal is counted. */
  check(target: string): Refusal | undefined;
  /** Asks for leave to send a request to a target. A refusal is counted. */
  enter(target: string): Entry | Refusal;
  /** Returns the circuits that are not closed, those that refused the most requests first. */
  list(): CircuitStatus[];
  /** Returns how many requests were refused, of all targets together. */
  refusals(): number;
}

/** Leave to send one request. Exactly one of its methods has to be called in the end; only the first call counts. */
export interface Entry {
  /** Whether the circuit is open, and this request is the one that finds out whether the target works again. */
  readonly isProbe: boolean;
  /** The target works: it answered, whatever its answer was. */
  succeeded(): void;
  /**
   * The target does not work.
   *
   * @param error - is given to those who are refused
   * @param cause - the resource that was asked for. Failures of a single one open the circuit much later: it may be the only one that does
   *   not work. Default: the failure is not about a resource
   */
  failed(error: Error, cause?: string): void;
  /** The request ended without saying anything about the target. */
  abandoned(): void;
}

/** Why a request is not sent. */
export interface Refusal {
  /** The last failure of the target. */
  error: Error;
  /** When a request may be sent again, in milliseconds from now. */
  retryAfterMs: number;
}

/** A circuit that is not closed. */
export interface CircuitStatus {
  target: string;
  /** `half-open`: a request is probing the target, and all others are refused. */
  state: 'open' | 'half-open';
  /** How many requests were refused since the target last worked. */
  refused: number;
  /** How often the circuit has opened since the target last worked. */
  openings: number;
}

export interface CircuitBreakersOptions {
  /** The circuit opens after this many failures in a row; {@link SINGLE_CAUSE_FACTOR} times as many if all are about the same resource. */
  threshold: number;
  /** How long the circuit stays open the first time, in milliseconds; the time doubles with each probe that fails. */
  firstDelayMs: number;
  /** The longest time between two probes before jitter, which adds up to a quarter. */
  maxDelayMs: number;
  /** The most targets that are remembered, the least recently used are forgotten first. Those that work need no memory. Default 1,000. */
  maxTargets?: number;
  /** Called when a circuit opens, opens again, or closes. Must not throw. */
  onChange?: (change: CircuitChange) => void;
  /** Returns the time in milliseconds, by a clock that never goes back. Default `performance.now`. */
  nowMs?: () => number;
}

export interface CircuitChange {
  target: string;
  state: 'open' | 'closed';
  /** The failure that opened the circuit. */
  error: Error | undefined;
  /** How often the circuit has opened since the target last worked. */
  openings: number;
}

/** What those who are refused during a probe are told to wait: how long it takes is not known. */
const PROBE_RETRY_MS = 1_000;

const SINGLE_CAUSE_FACTOR = 3;

/** What is known of a target whose last request failed. */
interface Circuit {
  /** The number of failures in a row so far, until the circuit opens. */
  failures: number;
  /** The resource that all of these were about, if it is a single one. */
  onlyCause: string | undefined;
  /** 0 while the circuit is closed. */
  openings: number;
  /** When the next probe may be sent, if the circuit is open. */
  probeAtMs: number;
  /** The request that is probing the target. */
  probe: Entry | undefined;
  error: Error;
  refused: number;
}

export function createCircuitBreakers(options: CircuitBreakersOptions): CircuitBreakers {
  const { threshold, firstDelayMs, maxDelayMs, maxTargets = 1_000, onChange, nowMs = clock } = options;
  const circuits = new LRUCache<string, Circuit>({ max: maxTargets });
  let refusals = 0;

  function refusalOf(circuit: Circuit | undefined): Refusal | undefined {
    if (!circuit || circuit.openings === 0) return undefined;
    const retryAfterMs = circuit.probe ? PROBE_RETRY_MS : circuit.probeAtMs - nowMs();
    if (retryAfterMs <= 0) return undefined;
    refusals++;
    circuit.refused++;
    return { error: circuit.error, retryAfterMs };
  }

  function open(target: string, circuit: Circuit): void {
    circuit.openings++;
    circuit.probeAtMs = nowMs() + withJitter(backoffDelay(firstDelayMs, circuit.openings, maxDelayMs));
    const { error, openings } = circuit;
    onChange?.({ target, state: 'open', error, openings });
  }

  function close(target: string): void {
    const circuit = circuits.get(target);
    if (!circuit) return;
    circuits.delete(target);
    const { openings } = circuit;
    if (openings > 0) onChange?.({ target, state: 'closed', error: undefined, openings });
  }

  function fail(target: string, entry: Entry, error: Error, cause: string | undefined): void {
    const circuit = circuits.get(target) ?? newCircuit(error, cause);
    circuits.set(target, circuit);
    const isProbe = circuit.probe === entry;
    if (isProbe) circuit.probe = undefined;
    // What was sent before the circuit opened says nothing new.
    if (!isProbe && circuit.openings > 0) return;
    circuit.error = error;
    circuit.failures++;
    if (circuit.onlyCause !== cause) circuit.onlyCause = undefined;
    const limit = circuit.onlyCause === undefined ? threshold : SINGLE_CAUSE_FACTOR * threshold;
    if (isProbe || circuit.failures >= limit) open(target, circuit);
  }

  function enter(target: string): Entry | Refusal {
    const refusal = refusalOf(circuits.get(target));
    if (refusal) return refusal;
    const circuit = circuits.get(target);
    const isProbe = circuit !== undefined && circuit.openings > 0;
    const entry = settledOnce({
      isProbe,
      succeeded: () => close(target),
      failed: (error, cause) => fail(target, entry, error, cause),
      abandoned() {
        if (circuit?.probe === entry) circuit.probe = undefined;
      },
    });
    if (isProbe) circuit.probe = entry;
    return entry;
  }

  return {
    check: (target) => refusalOf(circuits.get(target)),
    enter,
    list: () =>
      [...circuits.entries()]
        .filter(([, { openings }]) => openings > 0)
        .map(([target, circuit]) => statusOf(target, circuit))
        .sort((one, other) => other.refused - one.refused),
    refusals: () => refusals,
  };
}

function newCircuit(error: Error, onlyCause: string | undefined): Circuit {
  return { failures: 0, onlyCause, openings: 0, probeAtMs: 0, probe: undefined, error, refused: 0 };
}

function statusOf(target: string, { probe, refused, openings }: Circuit): CircuitStatus {
  return { target, state: probe ? 'half-open' : 'open', refused, openings };
}

/** Returns an entry of which only the first call does anything. */
function settledOnce(entry: Entry): Entry {
  let isSettled = false;
  const once = (settle: () => void) => {
    if (isSettled) return;
    isSettled = true;
    settle();
  };
  return {
    isProbe: entry.isProbe,
    succeeded: () => once(entry.succeeded),
    failed: (error, cause) => once(() => entry.failed(error, cause)),
    abandoned: () => once(entry.abandoned),
  };
}

function clock(): number {
  return performance.now();
}
