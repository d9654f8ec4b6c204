import type { LookupAddress } from 'node:dns';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResolveAll } from '../../src/source/guarded-agent.ts';
import { createNameResolver, type NameResolverOptions } from '../../src/source/name-resolver.ts';
import { type DnsNames, serveDns } from '../support/source/dns-server.ts';
import { makeFolder } from '../support/store/folder.ts';

const HANGING = { 4: 'silent', 6: 'silent' } as const;

/** A resolver that asks a DNS server with these names, and a system that knows only `minio`. */
async function setUp(names: DnsNames, options: NameResolverOptions = {}) {
  const { address, queries } = await serveDns(names);
  const askedOfSystem: string[] = [];
  const system: ResolveAll = (hostname, _options, callback) => {
    askedOfSystem.push(hostname);
    if (hostname === 'minio') callback(null, [{ address: '10.0.0.9', family: 4 }]);
    else callback(Object.assign(new Error(), { code: 'ENOTFOUND' }), []);
  };
  const resolver = createNameResolver({
    servers: [address],
    queryTimeoutMs: 200,
    hostsFile: '/nonexistent',
    system,
    ...options,
  });
  return { resolve: (hostname: string) => resolveWith(resolver, hostname), queries, askedOfSystem };
}

function resolveWith(resolver: ResolveAll, hostname: string, family?: 4 | 6): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    resolver(hostname, { all: true, ...(family && { family }) }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
}

describe('resolving a name', () => {
  it('returns the addresses of both families, IPv4 first', async () => {
    const { resolve, askedOfSystem } = await setUp({ 'images.test': { 6: 'any', 4: '192.0.2.1' } });
    expect(await resolve('images.test')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '2020:2020:2020:2020:2020:2020:2020:2020', family: 6 },
    ]);
    expect(askedOfSystem).toEqual([]);
  });

  it('returns the addresses of the family that is asked for', async () => {
    const { address } = await serveDns({ 'images.test': { 6: 'any', 4: '192.0.2.1' } });
    const resolver = createNameResolver({ servers: [address], hostsFile: '/nonexistent' });
    expect(await resolveWith(resolver, 'images.test', 4)).toEqual([{ address: '192.0.2.1', family: 4 }]);
  });

  it('does not wait for names that hang, though there are more than threads', async () => {
    const hanging = Array.from({ length: 60 }, (_, number) => `hanging-${number}.test`);
    const { resolve } = await setUp({
      ...Object.fromEntries(hanging.map((name) => [name, HANGING])),
      'images.test': { 4: '192.0.2.1' },
    });
    const settled: string[] = [];
    const lookups = hanging.map((name) => resolve(name).catch(() => settled.push(name)));
    expect(await resolve('images.test')).toEqual([{ address: '192.0.2.1', family: 4 }]);
    expect(settled).toEqual([]);
    await Promise.all(lookups);
  });

  it('fails when no server answers, without asking the system, which would wait for longer', async () => {
    const { resolve, askedOfSystem } = await setUp({ 'hanging.test': HANGING }, { queryTimeoutMs: 50 });
    await expect(resolve('hanging.test')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(askedOfSystem).toEqual([]);
  });

  it('returns the addresses of one family if the queries for the other get no answer', async () => {
    const { resolve } = await setUp({ 'images.test': { 4: '192.0.2.1', 6: 'silent' } });
    expect(await resolve('images.test')).toEqual([{ address: '192.0.2.1', family: 4 }]);
  });

  it("prefers the system's own names to those of DNS", async () => {
    const hostsFile = join(await makeFolder(), 'hosts');
    await writeFile(
      hostsFile,
      '# names\n127.0.0.1 localhost\n192.0.2.7\tother Images.Test # ours\n::1 images.test\n',
    );
    const { resolve, queries } = await setUp({ 'images.test': { 4: '192.0.2.1' } }, { hostsFile });
    expect(await resolve('images.test')).toEqual([
      { address: '192.0.2.7', family: 4 },
      { address: '::1', family: 6 },
    ]);
    expect(queries).toEqual([]);
  });

  it('asks the system alone for names that public DNS never has', async () => {
    const { resolve, queries, askedOfSystem } = await setUp({});
    expect(await resolve('minio')).toEqual([{ address: '10.0.0.9', family: 4 }]);
    for (const name of ['api.localhost', 'printer.local'])
      await expect(resolve(name)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(askedOfSystem).toEqual(['minio', 'api.localhost', 'printer.local']);
    expect(queries).toEqual([]);
  });

  it('asks the system for names that DNS does not know, which it may complete', async () => {
    const { resolve, askedOfSystem } = await setUp({});
    await expect(resolve('minio.storage')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(askedOfSystem).toEqual(['minio.storage']);
  });

  it('keeps few threads of the system, even when their lookups hang, and gives the next to names that it knows', async () => {
    const running = new Map<string, () => void>();
    const system: ResolveAll = (hostname, _options, callback) => {
      running.set(hostname, () => callback(null, [{ address: '10.0.0.9', family: 4 }]));
    };
    const { resolve } = await setUp({}, { system, timeoutMs: 300 });
    const known = resolve('minio');
    await untilRunning(running, 'minio');
    running.get('minio')?.();
    await known;
    running.clear();
    const hanging = Array.from({ length: 20 }, (_, number) =>
      resolve(`hanging${number}`).catch(() => 'ended'),
    );
    await untilRunning(running, 'hanging7');
    const again = resolve('minio');
    expect(running.size).toBe(8);
    running.get('hanging0')?.();
    await untilRunning(running, 'minio');
    running.get('minio')?.();
    expect(await again).toEqual([{ address: '10.0.0.9', family: 4 }]);
    await Promise.all(hanging);
    // What has hung until the end of its time still occupies its thread, and what waited for one was left out.
    expect(running.size).toBeLessThanOrEqual(10);
  });
});

async function untilRunning(running: ReadonlyMap<string, unknown>, name: string): Promise<void> {
  while (!running.has(name)) await new Promise((next) => setImmediate(next));
}
