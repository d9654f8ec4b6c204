import type { Socket } from 'node:net';

// How a server and an encoder process talk over a socket: frames of a message in JSON and, behind it, bytes. Bytes are neither encoded nor
// copied to be sent.

/** Two lengths in bytes, of the message and of the bytes behind it: unsigned, 32 bits, big-endian. */
const PREFIX_BYTES = 8;

/** Sends a message, and bytes behind it. */
export function writeFrame(socket: Socket, message: object, bytes: Uint8Array = new Uint8Array()): void {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.allocUnsafe(PREFIX_BYTES + json.length);
  head.writeUInt32BE(json.length, 0);
  head.writeUInt32BE(bytes.byteLength, 4);
  json.copy(head, PREFIX_BYTES);
  socket.cork();
  socket.write(head);
  if (bytes.byteLength > 0) socket.write(bytes);
  socket.uncork();
}

/**
 * Returns a function that takes what a socket gives, piece by piece, and calls back with each frame.
 *
 * @param onFrame - the bytes are its own: nothing else refers to their memory
 */
export function createFrameReader<Message>(
  onFrame: (message: Message, bytes: Uint8Array<ArrayBuffer>) => void,
): (piece: Uint8Array) => void {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  // What is being read now, and how much of it is there.
  let target: Uint8Array<ArrayBuffer> = prefix;
  let filled = 0;
  let message: Message | undefined;
  let step: 'prefix' | 'message' | 'bytes' = 'prefix';

  function read(next: typeof step, into: Uint8Array<ArrayBuffer>): void {
    step = next;
    target = into;
    filled = 0;
  }

  function finishStep(): void {
    if (step === 'prefix') {
      read('message', allocate(prefix.readUInt32BE(0)));
    } else if (step === 'message') {
      message = JSON.parse(Buffer.from(target.buffer).toString()) as Message;
      read('bytes', allocate(prefix.readUInt32BE(4)));
    } else {
      const bytes = target;
      read('prefix', prefix);
      onFrame(message as Message, bytes);
    }
  }

  return (piece) => {
    let offset = 0;
    for (;;) {
      const part = piece.subarray(offset, offset + target.length - filled);
      target.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled < target.length) return;
      finishStep();
    }
  };
}

/** Returns bytes that are not zeroed: all of them will be filled. They are no part of a pool. */
function allocate(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}
