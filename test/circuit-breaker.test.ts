import { describe, expect, it } from 'vitest';
import {
  type CircuitBreakers,
  type CircuitChange,
  createCircuitBreakers,
  type Entry,
} from '../src/circuit-breaker.ts';

const HOUR_MS = 3_600_000;

/** Breakers that open after three failures, for one second at first and ten at most, with a clock that the test sets. */
function setUp({ maxTargets = 100 } = {}) {
  let timeMs = 0;
  const changes: CircuitChange[] = [];
  const breakers = createCircuitBreakers({
    threshold: 3,
    firstDelayMs: 1_000,
    maxDelayMs: 10_000,
    maxTargets,
    nowMs: () => timeMs,
    onChange: (change) => changes.push(change),
  });
  return {
    breakers,
    changes,
    advance: (ms: number) => {
      timeMs += ms;
    },
  };
}

function enter(breakers: CircuitBreakers, target: string): Entry {
  const entry = breakers.enter(target);
  if ('retryAfterMs' in entry) throw new Error(`refused for ${entry.retryAfterMs} ms`);
  return entry;
}

function fail(breakers: CircuitBreakers, target: string, times = 1, resource?: string): void {
  for (let time = 0; time < times; time++)
    enter(breakers, target).failed(new Error(`failure ${time}`), resource);
}

describe('a circuit breaker', () => {
  it('refuses requests after several failures in a row, with the last one, and not those to other targets', () => {
    const { breakers } = setUp();
    fail(breakers, 'a', 2);
    expect(breakers.check('a')).toBeUndefined();
    fail(breakers, 'a');
    expect(breakers.enter('a')).toMatchObject({ error: { message: 'failure 0' } });
    expect(breakers.check('a')?.retryAfterMs).toBeGreaterThanOrEqual(1_000);
    expect(breakers.check('b')).toBeUndefined();
    expect(breakers.refusals()).toBe(2);
    expect(breakers.list()).toEqual([{ target: 'a', state: 'open', refused: 2, openings: 1 }]);
  });

  it('stays closed while requests succeed in between', () => {
    const { breakers, changes } = setUp();
    for (let times = 0; times < 10; times++) {
      fail(breakers, 'a', 2);
      enter(breakers, 'a').succeeded();
    }
    expect(breakers.check('a')).toBeUndefined();
    expect(changes).toEqual([]);
  });

  it('is listed before those that refused fewer requests', () => {
    const { breakers } = setUp();
    for (const [target, refusals] of Object.entries({ a: 1, b: 3, c: 2 })) {
      fail(breakers, target, 3);
      for (let refused = 0; refused < refusals; refused++) breakers.check(target);
    }
    expect(breakers.list().map(({ target }) => target)).toEqual(['b', 'c', 'a']);
  });

  it('opens much later if a single resource fails, and none other', () => {
    const { breakers } = setUp();
    fail(breakers, 'a', 8, 'slow.jpg');
    expect(breakers.check('a')).toBeUndefined();
    fail(breakers, 'a', 1, 'slow.jpg');
    expect(breakers.check('a')).toBeDefined();
  });

  it('lets one request through when its delay is over, and closes once that succeeds', () => {
    const { breakers, advance, changes } = setUp();
    fail(breakers, 'a', 3);
    advance(2_000);
    const probe = enter(breakers, 'a');
    expect(breakers.enter('a')).toMatchObject({ retryAfterMs: 1_000 });
    expect(breakers.list()).toMatchObject([{ state: 'half-open' }]);
    probe.succeeded();
    enter(breakers, 'a');
    enter(breakers, 'a');
    expect(breakers.list()).toEqual([]);
    expect(changes.map(({ state }) => state)).toEqual(['open', 'closed']);
  });

  it('opens for twice as long, up to its longest delay, each time a probe fails', () => {
    const { breakers, advance } = setUp();
    fail(breakers, 'a', 3);
    for (const delayMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      advance(delayMs - 1);
      expect(breakers.check('a')).toBeDefined();
      // Jitter adds up to a quarter.
      advance(delayMs / 4 + 1);
      fail(breakers, 'a');
    }
  });

  it('sends another probe after one that ended without a result', () => {
    const { breakers, advance } = setUp();
    fail(breakers, 'a', 3);
    advance(2_000);
    enter(breakers, 'a').abandoned();
    enter(breakers, 'a').succeeded();
    expect(breakers.check('a')).toBeUndefined();
  });

  it('closes when a request that was sent before it opened succeeds, and is not held open by one that fails', () => {
    const { breakers, advance } = setUp();
    const [slow, slower] = [enter(breakers, 'a'), enter(breakers, 'a')];
    fail(breakers, 'a', 3);
    advance(900);
    slow.failed(new Error('late'));
    advance(500);
    const probe = enter(breakers, 'a');
    slower.succeeded();
    expect(breakers.check('a')).toBeUndefined();
    probe.failed(new Error('one failure'));
    expect(breakers.check('a')).toBeUndefined();
  });

  it('counts only the first result of a request', () => {
    const { breakers } = setUp();
    for (let times = 0; times < 5; times++) {
      const entry = enter(breakers, 'a');
      entry.succeeded();
      entry.failed(new Error('the body was too long'));
    }
    expect(breakers.check('a')).toBeUndefined();
  });

  it('forgets the targets that were used longest ago when there are too many', () => {
    const { breakers } = setUp({ maxTargets: 3 });
    for (const target of ['a', 'b', 'c', 'd']) fail(breakers, target, 3);
    expect(breakers.list().map(({ target }) => target)).not.toContain('a');
    expect(breakers.list()).toHaveLength(3);
  });

  it('remembers an open circuit for as long as nothing is sent', () => {
    const { breakers, advance } = setUp();
    fail(breakers, 'a', 3);
    advance(HOUR_MS);
    fail(breakers, 'a');
    expect(breakers.check('a')?.retryAfterMs).toBeGreaterThanOrEqual(2_000);
  });
});
