import { expect, it } from 'vitest';
import { createCircuitBreakers, type Entry } from '../../src/circuit-breaker.ts';
import { createHostDoubts } from '../../src/source/host-doubts.ts';

const HOST = 'images.test';
const silence = new Error('no answer');

/** Circuits that open at the first failure, for a second, by a clock that the test moves. */
function setUp() {
  const clock = { ms: 0 };
  const options = { threshold: 1, firstDelayMs: 1000, maxDelayMs: 1000, nowMs: () => clock.ms };
  const circuits = createCircuitBreakers(options);
  const enter = () => circuits.enter(HOST) as Entry;
  const doubts = createHostDoubts();
  const giveUp = (entry: Entry) => doubts.add(HOST, { entry, resource: '/a.jpg' });
  return { clock, enter, giveUp, doubts };
}

it('A probe that was given up lets the next one go, once the request that went on for it has ended', () => {
  const { clock, enter, giveUp } = setUp();
  const witness = giveUp(enter());
  enter().failed(silence);
  clock.ms += 2000;
  const probe = enter();
  expect(probe.isProbe).toBe(true);
  expect(giveUp(probe)).toBeUndefined();
  witness?.ended();
  expect(enter()).toMatchObject({ isProbe: true });
});

it('Of the requests that were given up, no more are kept than may count', () => {
  const { giveUp } = setUp();
  const settled = { failed: 0, abandoned: 0 };
  const entry = {
    ...{ isProbe: false, succeeded: () => {} },
    failed: () => void settled.failed++,
    abandoned: () => void settled.abandoned++,
  };
  const witness = giveUp(entry);
  for (let count = 0; count < 100; count++) giveUp(entry);
  expect(settled).toEqual({ failed: 0, abandoned: 85 });
  witness?.timedOut(silence);
  expect(settled.failed).toBe(16);
});

it('A request whose time is over does not end, when it ends itself, the one that goes on after it', () => {
  const { enter, giveUp } = setUp();
  const [first, second, third] = [enter(), enter(), enter()];
  const late = giveUp(first);
  late?.timedOut(silence);
  expect(giveUp(second)).toBeDefined();
  late?.ended();
  expect(giveUp(third)).toBeUndefined();
});

it.each([
  ['ends, if it is itself the one that goes on', 'ended'],
  ['is over, since its host has answered another', 'cleared'],
])('A probe that was given up lets the next one go when the doubt %s', (_, how) => {
  const { clock, enter, giveUp, doubts } = setUp();
  const earlier = enter();
  enter().failed(silence);
  clock.ms += 2000;
  if (how === 'cleared') giveUp(earlier);
  const witness = giveUp(enter());
  if (how === 'cleared') doubts.clear(HOST);
  else witness?.ended();
  expect(enter()).toMatchObject({ isProbe: true });
});
