import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Lambda's limit on the answer of a function, in bytes of JSON. */
const MAX_RESPONSE_BYTES = 6 * 2 ** 20;
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:123456789012:function:edgepress';

interface Invocation {
  id: string;
  event: unknown;
  deadlineMs: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The part of Lambda that a function's runtime client polls for events. */
export interface RuntimeApi {
  /** `host:port` */
  authority: string;
  /** Resolves when the client first asks for an event. Rejects when the function fails to start. */
  ready: Promise<void>;
  /** @param deadlineMs - Unix time in milliseconds */
  invoke<T>(event: unknown, deadlineMs: number): Promise<T>;
  /** Rejects `ready` and all invocations that are not answered yet. */
  fail(error: Error): void;
  close(): void;
}

/** Starts the Runtime API on 127.0.0.1. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const queued: Invocation[] = [];
  const inFlight = new Map<string, Invocation>();
  let onReady: () => void = () => {};
  let onStartFailure: (error: Error) => void = () => {};
  const ready = new Promise<void>((resolve, reject) => {
    onReady = resolve;
    onStartFailure = reject;
  });
  /** The client's request for the next event, while there is none. */
  let polling: ServerResponse | undefined;
  let count = 0;

  function sendNext(): void {
    if (!polling) return;
    const invocation = queued.shift();
    if (!invocation) return;
    inFlight.set(invocation.id, invocation);
    polling.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': invocation.id,
      'Lambda-Runtime-Deadline-Ms': String(invocation.deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': FUNCTION_ARN,
    });
    polling.end(JSON.stringify(invocation.event));
    polling = undefined;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    if (url.endsWith('/invocation/next')) {
      polling = response;
      onReady();
      return sendNext();
    }
    const body = await text(request);
    response.writeHead(202).end();
    if (url.endsWith('/init/error')) return onStartFailure(new Error(`the function does not start: ${body}`));
    const [, id = '', outcome] = /\/invocation\/([^/]+)\/(response|error)$/.exec(url) ?? [];
    const invocation = inFlight.get(id);
    inFlight.delete(id);
    if (outcome === 'error') invocation?.reject(new Error(body));
    else if (Buffer.byteLength(body) > MAX_RESPONSE_BYTES)
      invocation?.reject(new Error('Response payload size exceeded maximum allowed payload size'));
    else invocation?.resolve(JSON.parse(body));
  }

  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready,
    invoke: <T>(event: unknown, deadlineMs: number) =>
      new Promise<T>((resolve, reject) => {
        count += 1;
        const id = `request-${count}`;
        queued.push({ id, event, deadlineMs, resolve: resolve as (result: unknown) => void, reject });
        sendNext();
      }),
    fail(error) {
      onStartFailure(error);
      for (const invocation of [...inFlight.values(), ...queued]) invocation.reject(error);
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
