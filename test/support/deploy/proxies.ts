import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { listen } from '../../../src/http/listen.ts';
import { type Service, startService } from '../http/service.ts';
import { createDaemons, type Daemons, findFreePorts } from '../setup/daemons.ts';

/** The files that operators copy. */
export const DEPLOY = join(import.meta.dirname, '../../../examples/deploy');
export const ADMIN_TOKEN = 'operators';
const START_ATTEMPTS = 3;

export type ProxyName = 'nginx' | 'varnish' | 'caddy';

/** A service behind a program of examples/deploy, both on ports of loopback. They end when the test ends. */
export interface Proxied {
  /** Of the program. */
  url: string;
  /** Where it takes purges, if it does: `CDN` of the service. */
  cdn: string | undefined;
  service: Service;
  /** Ends the service, and not the program before it. */
  stopService(): Promise<void>;
  /** How many requests for images have reached the service. */
  reached(): number;
  /** Sends a request with exactly these bytes as its target. */
  get(target: string, headers?: Record<string, string>, method?: string): Promise<Received>;
  /** Sends a request of an operator to the service itself. */
  operate(method: string, path: string, body?: string): Promise<unknown>;
}

export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

interface Ports {
  /** Where viewers come. */
  port: number;
  /** Where purges come. */
  purgePort: number;
  /** Where the service listens. */
  service: number;
}

interface Proxy {
  /** What `CDN` is. */
  cdn(ports: Pick<Ports, 'port' | 'purgePort'>): string | undefined;
  start(daemons: Daemons, ports: Ports): Promise<void>;
}

const PROXIES: Readonly<Record<ProxyName, Proxy>> = {
  nginx: {
    cdn: ({ purgePort }) => `http://127.0.0.1:${purgePort}/purge`,
    async start(daemons, ports) {
      const { folder } = daemons;
      for (const name of ['cache', 'conf.d', 'tmp']) await mkdir(join(folder, name));
      await copyTo(join(folder, 'edgepress.js'), 'nginx/edgepress.js', {});
      await copyTo(join(folder, 'conf.d/edgepress.conf'), 'nginx/edgepress.conf', {
        'js_path /etc/nginx;': `js_path ${folder};`,
        '/var/cache/nginx': join(folder, 'cache'),
        'listen 80;': `listen 127.0.0.1:${ports.port};`,
      });
      await copyTo(join(folder, 'conf.d/addresses.conf'), 'nginx/addresses.conf', {
        '/var/cache/nginx': join(folder, 'cache'),
        'listen 127.0.0.1:8081;': `listen 127.0.0.1:${ports.purgePort};`,
        'server 127.0.0.1:3000;': `server 127.0.0.1:${ports.service};`,
      });
      await copyTo(join(folder, 'nginx.conf'), 'nginx/nginx.conf', {
        'modules/ngx_http_js_module.so': '/usr/lib/nginx/modules/ngx_http_js_module.so',
        '/tmp/': `${folder}/tmp/`,
        '/etc/nginx/conf.d': `${folder}/conf.d`,
      });
      const user = process.getuid?.() === 0 ? 'user root;' : '';
      daemons.start('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', `daemon off; ${user}`]);
    },
  },
  varnish: {
    cdn: ({ port }) => `http://127.0.0.1:${port}/`,
    async start(daemons, ports) {
      const vcl = join(daemons.folder, 'edgepress.vcl');
      await copyTo(vcl, 'varnish/edgepress.vcl', { '.port = "3000";': `.port = "${ports.service}";` });
      const address = `127.0.0.1:${ports.port}`;
      const name = join(daemons.folder, 'work');
      // Without its users of its own, which cannot read the folder.
      daemons.start('varnishd', [
        '-j',
        'none',
        '-F',
        '-a',
        address,
        '-f',
        vcl,
        '-n',
        name,
        '-s',
        'malloc,64m',
      ]);
    },
  },
  caddy: {
    cdn: () => undefined,
    async start(daemons, ports) {
      const file = join(daemons.folder, 'Caddyfile');
      await copyTo(file, 'caddy/Caddyfile', {
        'images.example.com {': `{\n\tadmin off\n}\nhttp://127.0.0.1:${ports.port} {`,
        '127.0.0.1:3000': `127.0.0.1:${ports.service}`,
      });
      daemons.start('caddy', ['run', '--config', file, '--adapter', 'caddyfile']);
    },
  },
};

/** @param env - of the service */
export async function startProxied(name: ProxyName, env: Record<string, string> = {}): Promise<Proxied> {
  for (let attempt = 1; ; attempt++) {
    const [port = 0, purgePort = 0] = await findFreePorts(2);
    const cdn = PROXIES[name].cdn({ port, purgePort });
    const service = await startService({ ADMIN_TOKEN, ...(cdn !== undefined && { CDN: cdn }), ...env });
    const listener = await listen(service.app, {
      host: '127.0.0.1',
      port: 0,
      handleImage: service.handleImage,
    });
    onTestFinished(() => listener.close(0));
    const daemons = await createDaemons(`edgepress-${name}`, (folder) => ({ HOME: folder }));
    onTestFinished(() => daemons.stop());
    await PROXIES[name].start(daemons, { port, purgePort, service: listener.port });
    const url = `http://127.0.0.1:${port}`;
    if (await answers(`${url}/healthz`, daemons.signal))
      return { cdn, ...proxied(url, service, () => listener.close(0)) };
    const output = await daemons.output();
    await daemons.stop();
    // A port that was free may be taken by now.
    if (attempt === START_ATTEMPTS) throw new Error(`${name} does not start: ${output}`);
  }
}

function proxied(url: string, service: Service, closeListener: () => Promise<void>): Omit<Proxied, 'cdn'> {
  return {
    url,
    service,
    async stopService() {
      await closeListener();
      await service.stop();
    },
    reached: () =>
      service.log.filter(({ msg, outcome }) => msg === 'request' && outcome !== undefined).length,
    get: (target, headers = {}, method = 'GET') => send(url, target, headers, method),
    async operate(method, path, body) {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const response = await service.request(path, { method, headers, ...(body !== undefined && { body }) });
      return await response.json();
    },
  };
}

/** Not by `fetch`, which rewrites URLs. */
async function send(
  url: string,
  path: string,
  headers: Record<string, string>,
  method: string,
): Promise<Received> {
  const { hostname: host, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, headers }, async (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) });
    });
    sent.once('error', reject).end();
  });
}

/** Copies a file of examples/deploy with other ports and folders. Each text has to be there: otherwise it would not be what is shipped. */
async function copyTo(target: string, file: string, replacements: Record<string, string>): Promise<void> {
  let text = await readFile(join(DEPLOY, file), 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`${file} does not have ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  await writeFile(target, text);
}

async function answers(url: string, ended: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + 20_000;
  while (!ended.aborted && Date.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
