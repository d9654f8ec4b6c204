import { expect, it } from 'vitest';
import { createHeartbeat } from '../../src/cluster/heartbeat.ts';

it('A heartbeat reports workers that leave six questions in a row unanswered, and no others', () => {
  const asked: string[] = [];
  const silent: string[] = [];
  const { add, remove, answered, beat } = createHeartbeat<string>(
    (worker) => {
      asked.push(worker);
      if (worker === 'alive') answered(worker);
    },
    (worker) => silent.push(worker),
  );
  for (const worker of ['alive', 'dead', 'stopped']) add(worker);
  remove('dead');
  for (let count = 0; count < 6; count++) beat();
  expect(silent).toEqual([]);
  beat();
  expect(silent).toEqual(['stopped']);
  expect(asked).not.toContain('dead');
  expect(asked.filter((worker) => worker === 'alive')).toHaveLength(7);
});
