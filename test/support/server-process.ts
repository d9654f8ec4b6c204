import { temporaryFolder } from './http/service.ts';
import { runProgram } from './setup/program.ts';

export const SERVER = 'src/entry/server.ts';
/** With these it is no demonstration. */
export const SIGNING_KEYS = `k:${'00'.repeat(16)}`;

/** Starts the server as `npm start` does, on a folder of its own and any port, and waits until it listens. */
export async function startServer(env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const program = runProgram(SERVER, [], { PORT: '0', STORE: `file:${folder}`, ...env });
  const [, url = ''] = await program.printed(/"url":"([^"]+)".*"listening"/);
  return { program, url, folder };
}
