import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a function may answer with at most, in bytes of JSON. */
const MAX_RESPONSE_BYTES = 6 * 2 ** 20;
/** The variables that Lambda itself sets, without which no function starts. */
const REGION = 'us-east-1';
const RUNTIME_CLIENT = createRequire(import.meta.url).resolve('aws-lambda-ric');

export interface LambdaOptions {
  /** The artifact. */
  folder: string;
  /** Such as `lambda-image.handler`. */
  handler: string;
  env: Record<string, string>;
  /** Which Node runs it. Default: this one. */
  node?: string;
}

/** One environment of a function, as on Lambda: it does one invocation after the other. */
export interface Lambda {
  /** How long it took until it asked for its first event. */
  initMs: number;
  /**
   * @param remainingMs - how long it may take
   * @throws Error what the function threw
   */
  invoke<T>(event: unknown, remainingMs?: number): Promise<T>;
  /** What it has logged so far. */
  output(): string;
  process: ChildProcess;
  stop(): Promise<void>;
}

interface Invocation {
  id: string;
  event: unknown;
  deadlineMs: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Boots an artifact as Lambda does: with Lambda's own runtime client, against the Runtime API on 127.0.0.1. */
export async function startLambda({
  folder,
  handler,
  env,
  node = process.execPath,
}: LambdaOptions): Promise<Lambda> {
  const waiting: Invocation[] = [];
  const underWay = new Map<string, Invocation>();
  let ask: (() => void) | undefined;
  let started = 0;
  const ready = withResolvers<void>();

  function hand(response: ServerResponse): void {
    const invocation = waiting.shift();
    if (!invocation) {
      ask = () => hand(response);
      return;
    }
    underWay.set(invocation.id, invocation);
    response.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': invocation.id,
      'Lambda-Runtime-Deadline-Ms': String(invocation.deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': `arn:aws:lambda:${REGION}:123456789012:function:edgepress`,
    });
    response.end(JSON.stringify(invocation.event));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, id, end] = /\/invocation\/([^/]+)\/(response|error)$/.exec(request.url ?? '') ?? [];
    if (request.url?.endsWith('/invocation/next')) {
      ready.resolve();
      return hand(response);
    }
    const body = await text(request);
    response.writeHead(202).end();
    if (request.url?.endsWith('/init/error')) return ready.reject(new Error(`it does not start: ${body}`));
    const invocation = underWay.get(id ?? '');
    underWay.delete(id ?? '');
    if (end === 'error') invocation?.reject(new Error(body));
    else if (Buffer.byteLength(body) > MAX_RESPONSE_BYTES)
      invocation?.reject(new Error(`Response payload size exceeded maximum allowed payload size`));
    else invocation?.resolve(JSON.parse(body));
  }

  const api = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  await once(api, 'listening');
  const startMs = performance.now();
  const child = spawn(node, ['--require', join(import.meta.dirname, 'rapid-client.cjs'), RUNTIME_CLIENT], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(api.address() as AddressInfo).port}`,
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
      AWS_REGION: REGION,
      AWS_LAMBDA_FUNCTION_NAME: 'edgepress',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/edgepress',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/25/[$LATEST]0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  }
  const ended = once(child, 'exit').then(([code, signal]) => {
    const error = new Error(`it ended with ${code ?? signal}: ${printed}`);
    ready.reject(error);
    for (const invocation of [...underWay.values(), ...waiting]) invocation.reject(error);
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    api.closeAllConnections();
    api.close();
  };
  await ready.promise.catch(async (error: unknown) => {
    await stop();
    throw error;
  });

  return {
    initMs: performance.now() - startMs,
    process: child,
    output: () => printed,
    stop,
    invoke: <T>(event: unknown, remainingMs = 30_000) =>
      new Promise<T>((resolve, reject) => {
        const deadlineMs = Date.now() + remainingMs;
        started += 1;
        waiting.push({ id: `request-${started}`, event, deadlineMs, resolve: resolve as () => void, reject });
        const answer = ask;
        ask = undefined;
        answer?.();
      }),
  };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
