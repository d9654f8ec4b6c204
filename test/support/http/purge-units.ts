import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createFileStore } from '../../../src/store/file-store.ts';
import { photograph } from '../pictures.ts';
import { failing, startOperated, unitLine, until } from './operator.ts';
import { startOrigin, temporaryFolder } from './service.ts';

/** By which a unit is named where its id is not. */
export function hashOf(unit: string): string {
  return createHash('sha256').update(unit).digest('hex').slice(0, 32);
}

/** The names of all files in a folder and below. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** A service that has made all of some units: of each, a manifest, one variant, and the record of a broken source. */
export async function setUpUnits(ids: readonly string[], env: Record<string, string> = {}, key?: RegExp) {
  const photo = await photograph();
  const origin = await startOrigin((request, response) =>
    request.url === '/gone' ? response.writeHead(404).end() : response.end(photo),
  );
  const root = await temporaryFolder();
  const whole = createFileStore({ root });
  const operated = await startOperated(
    { SOURCE_ALLOW_PRIVATE: origin.authority, ...env },
    { store: key ? failing(whole, key, 'put', 'delete', 'list') : whole },
  );
  const src = `${origin.url}/a.jpg`;
  await operated.send(ids.map((id) => unitLine(id, src, `${origin.url}/gone`)).join(''));
  await until(async () => (await operated.service.unitServices.queue.depth()) === 0);
  return { ...operated, root, src };
}
