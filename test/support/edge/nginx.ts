import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createDaemons, findFreePorts } from '../setup/daemons.ts';
import { keyValueStore } from './njs.ts';

/** Debian's path of the nginx module that runs njs. */
const JS_MODULE = '/usr/lib/nginx/modules/ngx_http_js_module.so';
const START_ATTEMPTS = 3;

export interface NginxOptions {
  /** The built edge function. */
  code: string;
  /** The item `signing-keys` of the key value store. */
  keys: string;
  /** The first origin: `host:port/bucket`. */
  store: string;
  /** The second: `host:port`. */
  functionUrl: string;
}

/** A cache in the place of CloudFront. It stops when the test ends. */
export interface Nginx {
  url: string;
  /** The folder of the copies: one file each, which includes the response's headers. */
  cacheFolder: string;
}

/**
 * Starts nginx in the place of CloudFront: the edge function, then a cache that collapses concurrent requests of one URL, then the
 * store, and the image function when the store answers 403, 404 or an error.
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  for (let attempt = 1; ; attempt += 1) {
    const daemons = await createDaemons('edgepress-nginx');
    const { folder } = daemons;
    const [port = 0] = await findFreePorts(1);
    await writeFile(join(folder, 'cloudfront'), keyValueStore(options.keys));
    await writeFile(join(folder, 'edge.js'), options.code + VIEWER_REQUEST);
    await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, options));
    daemons.start('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']);
    const url = `http://127.0.0.1:${port}`;
    if (await answers(url, daemons.signal)) {
      onTestFinished(() => daemons.stop());
      return { url, cacheFolder: join(folder, 'cache') };
    }
    const output = await daemons.output();
    await daemons.stop();
    // A port that was free may be taken by now.
    if (attempt === START_ATTEMPTS) throw new Error(`nginx does not start: ${output}`);
  }
}

async function answers(url: string, ended: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (!ended.aborted && Date.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** What CloudFront does around the function: it makes the event from the request, and sends the returned request or response on. */
const VIEWER_REQUEST = `
async function viewerRequest(r) {
  const target = r.variables.request_uri;
  const mark = target.indexOf('?');
  const query = mark < 0 ? undefined : target.slice(mark + 1);
  const headers = {};
  Object.keys(r.headersIn).forEach((name) => { headers[name.toLowerCase()] = { value: r.headersIn[name] }; });
  const outcome = await handler({
    request: {
      method: r.method,
      uri: mark < 0 ? target : target.slice(0, mark),
      rawQueryString: () => query,
      querystring: {},
      headers: headers,
    },
  });
  if (outcome.statusCode === undefined) {
    r.internalRedirect('/forwarded' + outcome.uri + '?r=' + outcome.querystring.r.value);
    return;
  }
  Object.keys(outcome.headers).forEach((name) => { r.headersOut[name] = outcome.headers[name].value; });
  r.return(outcome.statusCode, outcome.body ? outcome.body.data : '');
}
export default { viewerRequest };
`;

function configuration(folder: string, port: number, { store, functionUrl }: NginxOptions): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  return `
daemon off; master_process off; pid ${folder}/nginx.pid;
load_module ${JS_MODULE};
events { worker_connections 1024; }
http {
  access_log off; ${scratch}
  large_client_header_buffers 8 32k;
  js_path ${folder};
  js_import edge from edge.js;
  proxy_cache_path ${folder}/cache keys_zone=edge:10m use_temp_path=off inactive=1h;
  proxy_http_version 1.1;
  map $upstream_cache_status $x_cache { HIT 'Hit from nginx'; REVALIDATED 'RefreshHit from nginx'; default 'Miss from nginx'; }
  server {
    listen 127.0.0.1:${port};
    location / { js_content edge.viewerRequest; }
    location /forwarded/ {
      internal;
      rewrite ^/forwarded(.*)$ $1 break;
      proxy_pass http://unix:${folder}/group.sock;
      proxy_cache edge; proxy_cache_key $uri; proxy_cache_revalidate on;
      proxy_cache_lock on; proxy_cache_lock_timeout 25s; proxy_cache_lock_age 25s;
      proxy_ignore_headers Vary;
      add_header X-Cache $x_cache always;
    }
  }
  server {
    listen unix:${folder}/group.sock;
    location / {
      proxy_pass http://${store}$uri?$args;
      proxy_intercept_errors on;
      error_page 403 404 500 502 503 504 = @function;
    }
    location @function { proxy_pass http://${functionUrl}; }
  }
}
`;
}
