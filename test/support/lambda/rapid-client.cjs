// Preloaded into Lambda's runtime client in the place of its native part, which only speaks HTTP to the Runtime API: so nothing has
// to be compiled.
const http = require('node:http');
const Module = require('node:module');

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, agent, method, path: `/2018-06-01/runtime/${path}` },
      (response) => {
        let bodyJson = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          bodyJson += chunk;
        });
        response.on('end', () => resolve({ bodyJson, headers: response.headers }));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const end = () => process.exit(0);
const client = {
  next: () => call('GET', 'invocation/next').catch(end),
  done: (id, body) => void call('POST', `invocation/${id}/response`, body).catch(end),
  error: (id, body) => void call('POST', `invocation/${id}/error`, body).catch(end),
};

const load = Module._load;
Module._load = (request, ...rest) =>
  request === './rapid-client.node' ? client : load.call(Module, request, ...rest);
