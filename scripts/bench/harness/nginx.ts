import { readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDaemons, findFreePorts } from '../../../test/support/setup/daemons.ts';
import { readCpuTimes } from './cpu-times.ts';
import { watchMemory } from './memory.ts';
import type { ServerProcess } from './processes.ts';

const START_TIMEOUT_MS = 5000;
const POLL_MS = 20;
/** Headers that nginx sends by itself. */
const OWN_HEADERS = ['accept-ranges', 'content-length', 'content-type', 'etag', 'last-modified'];

/**
 * Starts nginx in one process, which sends a file with `sendfile`, and with these headers, at `/body`; it logs each request to a file.
 *
 * @returns `undefined` if nginx is not installed or does not start
 */
export async function startNginx(
  body: string,
  headers: Record<string, string>,
): Promise<ServerProcess | undefined> {
  const daemons = await createDaemons('edgepress-bench-nginx');
  const { folder, signal } = daemons;
  const [port = 0] = await findFreePorts(1);
  const url = `http://127.0.0.1:${port}/body`;
  const pidFile = join(folder, 'nginx.pid');
  await copyFile(body, join(folder, 'body'));
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, headers));
  // Debian's path is not in every user's PATH.
  const start = 'PATH=$PATH:/usr/sbin exec nginx -p "$0" -c "$0/nginx.conf" -e stderr';
  daemons.start('sh', ['-c', start, folder]);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(url))) {
    await sleep(POLL_MS);
    if (!signal.aborted && Date.now() < deadline) continue;
    process.stderr.write(`nginx does not start: ${await daemons.output()}\n`);
    await daemons.stop();
    return undefined;
  }
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const memory = watchMemory(pid);
  return {
    url,
    pid,
    peakMemoryBytes: () => memory.peakBytes(),
    cpuTimes: () => readCpuTimes(pid),
    async stop() {
      memory.stop();
      await daemons.stop();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** As Debian's own configuration, but in one process, as the server that it is compared with, and with connections that stay open. */
function configuration(folder: string, port: number, headers: Record<string, string>): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  const added = Object.entries(headers)
    .filter(([name]) => !OWN_HEADERS.includes(name))
    .map(([name, value]) => `add_header ${name} "${value.replaceAll('"', '\\"')}";`);
  return `
daemon off; master_process off; pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log ${folder}/access.log; ${scratch}
  sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  default_type ${headers['content-type']};
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    ${added.join('\n    ')}
  }
}
`;
}
