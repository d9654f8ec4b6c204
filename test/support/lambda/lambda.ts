import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startRuntimeApi } from './runtime-api.ts';

const RUNTIME_CLIENT = createRequire(import.meta.url).resolve('aws-lambda-ric');

export interface LambdaOptions {
  /** The code of the functions, as `buildLambda` makes it. */
  folder: string;
  /** Such as `lambda-image.handler`. */
  handler: string;
  env: Record<string, string>;
  /** The Node that runs it. Default: this one. */
  node?: string;
}

/** One execution environment of a function: it handles one invocation after the other. */
export interface Lambda {
  /** The time until it asked for its first event. */
  initMs: number;
  /**
   * @param remainingMs - the time until the function's timeout. Default: 30,000
   * @throws Error that the function threw
   */
  invoke<T>(event: unknown, remainingMs?: number): Promise<T>;
  /** Returns what it has logged so far. */
  output(): string;
  process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a function as Lambda does: with Lambda's own runtime client, against a Runtime API on 127.0.0.1. */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const api = await startRuntimeApi();
  const startMs = performance.now();
  const child = spawnRuntime(options, api.authority);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const exited = once(child, 'exit').then(([code, signal]) => {
    api.fail(new Error(`the function ended with ${code ?? signal}: ${output}`));
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    api.close();
  };
  await api.ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    initMs: performance.now() - startMs,
    process: child,
    output: () => output,
    stop,
    invoke: (event, remainingMs = 30_000) => api.invoke(event, Date.now() + remainingMs),
  };
}

function spawnRuntime({ folder, handler, env, node = process.execPath }: LambdaOptions, authority: string) {
  return spawn(node, ['--require', join(import.meta.dirname, 'rapid-client.cjs'), RUNTIME_CLIENT], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      // The variables that Lambda sets, without which no function starts.
      AWS_LAMBDA_RUNTIME_API: authority,
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'edgepress',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/edgepress',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/25/[$LATEST]0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
