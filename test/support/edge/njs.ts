import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import type { EdgeResponse } from '../../../src/edge/viewer-request.ts';
import { temporaryFolder } from '../http/service.ts';
import { prepared } from '../setup/prepared.ts';

const missing = await prepared('edge');

/** A viewer's request. */
export interface SentRequest {
  method: string;
  /** Path and query, exactly as sent. */
  target: string;
  /** By lower-case name. */
  headers: Readonly<Record<string, string | readonly string[]>>;
}

/** The rewritten request, or the response. */
export type EdgeOutcome = { uri: string; querystring: Record<string, { value: string }> } | EdgeResponse;

/** `describe` for tests that need Debian's njs and nginx. Without them the tests are skipped, and the name says why. */
export function describeEdge(name: string, tests: () => void): void {
  if (missing === null) describe(name, tests);
  else describe.skip(`${name} — skipped, ${missing}`, tests);
}

/**
 * Runs the built function on requests, one after the other, in njs, from which CloudFront's engine descends.
 *
 * @param keys - the item `signing-keys` of the key value store; `null`: it is missing
 */
export async function runUnderNjs(
  code: string,
  keys: string | null,
  requests: readonly SentRequest[],
): Promise<readonly EdgeOutcome[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'cloudfront'), keyValueStore(keys));
  await writeFile(join(folder, 'requests.json'), JSON.stringify(requests.map(toEvent)));
  await writeFile(join(folder, 'main.js'), code + RUN_ALL);
  await promisify(execFile)('njs', ['-p', folder, 'main.js'], { cwd: folder });
  return JSON.parse(await readFile(join(folder, 'outcomes.json'), 'utf8')) as EdgeOutcome[];
}

/** Returns the source of the module `cloudfront` that CloudFront's runtime provides. */
export function keyValueStore(keys: string | null): string {
  const items = JSON.stringify(keys === null ? {} : { 'signing-keys': keys });
  return `const items = ${items};
export default { kvs: () => ({ get: async (name) => { if (items[name] === undefined) throw new Error('no such key'); return items[name]; } }) };
`;
}

const RUN_ALL = `
const fs = require('fs');
const requests = JSON.parse(fs.readFileSync('requests.json', 'utf8'));
async function main() {
  const outcomes = [];
  for (let i = 0; i < requests.length; i++) {
    const request = requests[i];
    const query = request.query;
    request.rawQueryString = () => query;
    const outcome = await handler({ request: request });
    outcomes.push(outcome);
  }
  fs.writeFileSync('outcomes.json', JSON.stringify(outcomes));
}
main();
`;

function toEvent({ method, target, headers }: SentRequest) {
  const mark = target.indexOf('?');
  return {
    method,
    uri: mark < 0 ? target : target.slice(0, mark),
    ...(mark >= 0 && { query: target.slice(mark + 1) }),
    querystring: {},
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, toField(value)])),
  };
}

function toField(value: string | readonly string[]) {
  if (typeof value === 'string') return { value };
  return { value: value[0], multiValue: value.map((one) => ({ value: one })) };
}
