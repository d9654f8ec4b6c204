import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readPage } from '../support/markdown.ts';

interface Manifest {
  engines?: { node?: string };
  dependencies: Record<string, string>;
}

const readManifest = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Manifest;

/** The least minor version of Node 20 that a range such as `>=20.18.1` or `^20.19 || >=22` allows; 0 if it names none. */
const leastMinor = ({ engines }: Manifest) => Number(/20\.(\d+)/.exec(engines?.node ?? '')?.[1] ?? 0);

describe('The version of Node that is asked for', () => {
  it('is the one in package.json, in all documents', async () => {
    const version = `Node 20.${leastMinor(await readManifest('package.json'))} or later`;
    for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/self-hosting.md'])
      expect(readPage(page)).toContain(version);
  });

  it('is enough for each dependency', async () => {
    const own = await readManifest('package.json');
    for (const name of Object.keys(own.dependencies)) {
      const needed = leastMinor(await readManifest(`node_modules/${name}/package.json`));
      expect([name, needed <= leastMinor(own)]).toEqual([name, true]);
    }
  });
});
