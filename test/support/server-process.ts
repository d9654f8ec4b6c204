import { join } from 'node:path';
import { temporaryFolder } from './http/service.ts';
import { runProgram } from './program.ts';
import { prepared } from './setup/prepared.ts';

const { folder: built } = await prepared('built');
/** What `npm start` runs. */
export const SERVER = join(built, 'dist/server.mjs');
export const SIGNING_KEYS = `k:${'00'.repeat(16)}`;

/** Starts the server like `npm start`, with a folder of its own and a free port, and waits until it listens. */
export async function startServer(env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const program = runProgram(SERVER, [], { PORT: '0', STORE: `file:${folder}`, ...env });
  const [, url = ''] = await program.printed(/"url":"([^"]+)".*"listening"/);
  return { program, url, folder };
}

/** Starts the demo, as `npm start` does without configuration, in a folder of its own and on a free port. */
export async function startDemo() {
  const folder = await temporaryFolder();
  const program = runProgram(SERVER, [], { PORT: '0' }, folder);
  const [, url = ''] = await program.printed(/"url":"([^"]+)".*"listening"/);
  return { program, url, folder };
}
