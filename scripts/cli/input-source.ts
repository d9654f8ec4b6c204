/** A file, standard input, or an object in S3, whose bytes are read. */
export interface InputSource {
  /** `-` is standard input. */
  name: string;
  /** Its size; `undefined` for a pipe or a device. */
  bytes: number | undefined;
  /** Which file it is, if it is one. */
  file?: { dev: number; ino: number };
  /** Reads it once, as it is asked for. Once the signal aborts, it ends. Throws a CommandFailure when it cannot be read to its end. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
}
