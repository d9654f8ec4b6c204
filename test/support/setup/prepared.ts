import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import type { Preparations } from './serve-preparations.ts';

/**
 * Waits until the setup of this test run has prepared something.
 *
 * @throws Error if that has failed
 */
export async function prepared<Name extends keyof Preparations>(name: Name): Promise<Preparations[Name]> {
  const url = `${inject('preparations')}/${name}`;
  // Not `fetch`, which gives up after some minutes.
  const { isOk, body } = await new Promise<{ isOk: boolean; body: string }>((resolve, reject) => {
    get(url, (response) => {
      text(response).then((body) => resolve({ isOk: response.statusCode === 200, body }), reject);
    }).on('error', reject);
  });
  if (!isOk) throw new Error(body);
  return JSON.parse(body) as Preparations[Name];
}
