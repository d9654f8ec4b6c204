import { temporaryFolder } from './http/service.ts';
import { runProgram } from './program.ts';

export const SERVER = 'src/entry/server.ts';
/** With signing keys the server does not start the demo. */
export const SIGNING_KEYS = `k:${'00'.repeat(16)}`;

/** Starts the server like `npm start`, with a folder of its own and a free port, and waits until it listens. */
export async function startServer(env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const program = runProgram(SERVER, [], { PORT: '0', STORE: `file:${folder}`, ...env });
  const [, url = ''] = await program.printed(/"url":"([^"]+)".*"listening"/);
  return { program, url, folder };
}
