import { describe, expect, it } from 'vitest';
import { createLocks } from '../../src/locks.ts';
import { embedCounts, embedImageMetrics, embedRequestMetrics } from '../../src/telemetry/emf.ts';
import type { Sample } from '../../src/telemetry/metric-source.ts';
import { observeLocks } from '../../src/telemetry/observe-locks.ts';
import { createTopHosts } from '../../src/telemetry/top-hosts.ts';

describe('counts by host', () => {
  it('have the hosts with the most weight, and all others as one', () => {
    const hosts = createTopHosts({ limit: 2, nowMs: () => 0 });
    for (const [host, seconds] of [
      ['a', 1],
      ['b', 5],
      ['c', 3],
      ['d', 0.5],
    ] as const)
      hosts.add(host, seconds, { ok: 1 });
    expect(Object.fromEntries(hosts.entries())).toEqual({ b: { ok: 1 }, c: { ok: 1 }, other: { ok: 2 } });
  });

  it('give the entry of a host that was busy long ago to one that is busy now', () => {
    const clock = { ms: 0 };
    const hosts = createTopHosts({ limit: 1, nowMs: () => clock.ms });
    hosts.add('yesterday', 100, { ok: 7 });
    hosts.add('now', 10, { ok: 1 });
    expect(Object.fromEntries(hosts.entries())).toEqual({ yesterday: { ok: 7 }, other: { ok: 1 } });
    clock.ms = 24 * 60 * 60 * 1000;
    hosts.add('now', 10, { ok: 1 });
    expect(Object.fromEntries(hosts.entries())).toEqual({ now: { ok: 1 }, other: { ok: 8 } });
  });
});

describe('metrics within log lines', () => {
  it('are those of the steps that a request had, by its result', () => {
    const line = { totalMs: 12, fetchMs: 3, unit: 'a', status: 200 };
    expect(embedRequestMetrics('edgepress')(line, 'miss')).toMatchObject({
      result: 'miss',
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: 'edgepress',
            Dimensions: [['result']],
            Metrics: [
              { Name: 'totalMs', Unit: 'Milliseconds' },
              { Name: 'fetchMs', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
    });
  });

  it('are none without a value or a result', () => {
    expect(embedRequestMetrics('edgepress')({ status: 200 }, 'hit')).toEqual({});
    expect(embedRequestMetrics('edgepress')({ totalMs: 1 }, undefined)).toEqual({});
  });

  it('are those of images by their state, and of broken ones by their code', () => {
    const embed = embedImageMetrics('edgepress');
    const byState = { Dimensions: [['imageState']], Metrics: [{ Name: 'images', Unit: 'Count' }] };
    const byCode = { Dimensions: [['result']], Metrics: [{ Name: 'brokenImages', Unit: 'Count' }] };
    expect(embed({}, 'ready')).toMatchObject({ imageState: 'ready', _aws: { CloudWatchMetrics: [byState] } });
    expect(embed({ code: 'source_timeout' }, 'broken')).toMatchObject({
      ...{ imageState: 'broken', result: 'source_timeout', brokenImages: 1 },
      _aws: { CloudWatchMetrics: [byState, byCode] },
    });
  });

  it('are counts that have grown and states that are not zero, a line each', () => {
    const faults: Record<string, number> = {};
    const open = { store: 0, source: 2 };
    const embed = embedCounts('edgepress', [
      { name: 'storeFaults', dimension: 'operation', kind: 'total', read: () => faults },
      { name: 'circuitsOpen', dimension: 'circuit', kind: 'state', read: () => open },
    ]);
    const circuit = { circuit: 'source', circuitsOpen: 2 };
    expect(embed()).toMatchObject([circuit]);
    faults['put'] = 3;
    expect(embed()).toMatchObject([
      {
        ...{ operation: 'put', storeFaults: 3 },
        _aws: { CloudWatchMetrics: [{ Dimensions: [['operation']], Metrics: [{ Name: 'storeFaults' }] }] },
      },
      circuit,
    ]);
    faults['put'] = 4;
    open.source = 0;
    expect(embed()).toMatchObject([{ storeFaults: 1 }]);
    expect(embed()).toEqual([]);
  });
});

describe('observed locks', () => {
  it('say how many hold and await each kind', async () => {
    const { locks, metricSources } = observeLocks(createLocks());
    const values = async () =>
      await Promise.all(metricSources.map(async ({ read }) => [...((await read()) as Iterable<Sample>)]));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const leaving = new AbortController();
    const first = locks.run('encode', { limit: 1 }, () => held);
    const second = locks.run('encode', { limit: 1 }, async () => {});
    const third = locks.run('encode', { limit: 1, signal: leaving.signal }, async () => {});
    const labels = { lock: 'encode' };
    await Promise.resolve();
    expect(await values()).toEqual([[{ labels, value: 1 }], [{ labels, value: 2 }]]);
    leaving.abort(new Error('left'));
    await expect(third).rejects.toThrow('left');
    release();
    await Promise.all([first, second]);
    expect(await values()).toEqual([[{ labels, value: 0 }], [{ labels, value: 0 }]]);
  });

  it('count other locks that are observed with them', async () => {
    const { observe, metricSources } = observeLocks(createLocks());
    await observe(createLocks()).run('encode viewer', { limit: 1 }, async () => {
      const counts = await Promise.all(metricSources.map(({ read }) => read() as Iterable<Sample>));
      expect(counts[0]).toEqual([{ labels: { lock: 'encode' }, value: 1 }]);
    });
  });
});
