import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Finding } from './finding.ts';
import { type Answer, type ParsedAnswers, parseAnswers } from './parse-answers.ts';

/**
 * How a client that has sent all of its bytes goes on: it waits for answers, says that it sends no more (to Node's server, that it wants no
 * answer either), or is gone.
 */
export type Ending = 'wait' | 'end' | 'destroy';

/** How long a server may leave a connection open that sends no more, or an answer may take. */
const ANSWER_MS = 60_000;
/** How long a client waits for a first byte, and for more: it does not know what it waits for. */
const FIRST_BYTE_MS = 250;
const IDLE_MS = 30;

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  // Resets are no fault of the server: a malformed request may be answered and closed before all of it was read.
  socket.on('error', () => {});
  await once(socket, 'connect').catch((cause: Error) => {
    throw new Finding(`the server accepts no connection: ${cause.message}`);
  });
  return socket;
}

/**
 * Sends chunks on a connection of their own, one at a time.
 *
 * @returns all that the server sent until it closed the connection, or the client did
 * @throws Finding if it does not close one whose client sends no more
 */
export async function sendRaw(port: number, chunks: readonly Uint8Array[], ending: Ending): Promise<Buffer> {
  const socket = await open(port);
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const chunk of chunks) {
    if (!socket.writable) break;
    await writeChunk(socket, chunk);
  }
  if (ending === 'end') {
    socket.end();
    const timer = new AbortController();
    const late = sleep(ANSWER_MS, 'late', { signal: timer.signal }).catch(() => 'closed');
    const outcome = await Promise.race([closed, late]);
    timer.abort();
    if (outcome === 'late') {
      socket.destroy();
      throw new Finding(`the connection is still open ${ANSWER_MS / 1000} s after its client ended it`);
    }
  }
  if (ending === 'wait') await untilIdle(socket, closed);
  socket.destroy();
  await closed;
  return Buffer.concat(received);
}

/** Lets the chunk leave before the next one. */
async function writeChunk(socket: Socket, chunk: Uint8Array): Promise<void> {
  socket.write(chunk);
  await new Promise(setImmediate);
}

async function untilIdle(socket: Socket, closed: Promise<void>): Promise<void> {
  for (let before = -1; before !== socket.bytesRead && !socket.destroyed; ) {
    before = socket.bytesRead;
    if (before > 0) await Promise.race([closed, sleep(IDLE_MS)]);
    else await Promise.race([closed, new Promise((data) => socket.once('data', data)), sleep(FIRST_BYTE_MS)]);
  }
}

/** A client that keeps its connection, as proxies do. */
export interface KeptConnection {
  /**
   * Sends one request, in one piece or several, and reads its answer.
   *
   * @throws Finding if there is none, or more than one
   */
  request(bytes: Uint8Array | readonly Uint8Array[], isHead?: boolean): Promise<Answer>;
  close(): void;
}

/** Returns a client that opens a connection when it has none, and another when the server has closed it. */
export function keptConnection(port: number): KeptConnection {
  let socket: Socket | undefined;
  return {
    async request(bytes, isHead = false) {
      if (!socket || socket.destroyed || !socket.writable) socket = await open(port);
      const current = socket;
      const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
      const { answers, problem } = await readOne(current, pieces, isHead);
      const [answer, ...more] = answers;
      if (problem !== undefined) throw new Finding(problem);
      if (!answer || more.length > 0) throw new Finding(`${answers.length} answers to one request`);
      if (/close/i.test(answer.headers.get('connection') ?? '')) current.destroy();
      return answer;
    },
    close: () => void socket?.destroy(),
  };
}

function readOne(socket: Socket, pieces: readonly Uint8Array[], isHead: boolean): Promise<ParsedAnswers> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const finish = (parsed: ParsedAnswers) => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      if (parsed.problem !== undefined) socket.destroy();
      resolve(parsed);
    };
    const onData = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const parsed = parseAnswers(received, isHead);
      if (parsed.problem === undefined && parsed.answers.length > 0) finish(parsed);
      else if (parsed.problem !== undefined && !parsed.isIncomplete) finish(parsed);
    };
    const onClose = () =>
      finish({ answers: [], problem: 'the connection was closed without a whole answer' });
    const onLate = () => finish({ answers: [], problem: `no answer within ${ANSWER_MS / 1000} s` });
    const timer = setTimeout(onLate, ANSWER_MS);
    socket.on('data', onData).once('close', onClose);
    void (async () => {
      for (const piece of pieces) if (socket.writable) await writeChunk(socket, piece);
    })();
  });
}
