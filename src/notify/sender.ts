/** An event as it is sent. */
export interface Message {
  id: string;
  type: string;
  unit: string;
  /** The JSON of the event, in one line. */
  body: string;
}

/**
 * What became of a message: `delivered`; `refused`: this message will never be taken, others may be; `failed`: the target takes none just
 * now; `gone`: the target wants no more (status 410).
 */
export type SendResult =
  | { state: 'delivered' }
  | { state: 'refused'; reason: string }
  | { state: 'failed'; reason: string; retryAfterMs?: number | undefined }
  | { state: 'gone'; reason: string };

/** The port for what takes events. */
export interface Sender {
  /** The most messages in flight. */
  concurrency: number;
  /** Makes one attempt. Never throws. */
  send(message: Message): Promise<SendResult>;
  /** Releases connections and files. */
  close(): Promise<void>;
}
