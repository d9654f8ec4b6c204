// Preloaded into Lambda's runtime client in place of its native addon, which only talks HTTP to the Runtime API. So nothing has to be
// compiled.
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

const exit = () => process.exit(0);
const client = {
  next: () => call('GET', 'invocation/next').catch(exit),
  done: (id, body) => void call('POST', `invocation/${id}/response`, body).catch(exit),
  error: (id, body) => void call('POST', `invocation/${id}/error`, body).catch(exit),
};

const load = Module._load;
Module._load = (request, ...rest) =>
  request === './rapid-client.node' ? client : load.call(Module, request, ...rest);
