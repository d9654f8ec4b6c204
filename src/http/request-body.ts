import { EdgepressError } from '../protocol/error.ts';

/**
 * The body of a request, no faster than it is asked for.
 *
 * @throws EdgepressError `bad_request` when it ends before it is whole: whoever sent it has gone
 */
export async function* readChunks({ body }: Request): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader();
  for (;;) {
    const next = await reader?.read().catch((cause: unknown) => {
      throw new EdgepressError('bad_request', 'The body ended before it was whole', { cause });
    });
    if (!next || next.done) return;
    yield next.value;
  }
}

/**
 * A body of UTF-8, whole.
 *
 * @throws EdgepressError `bad_request` when it is longer, or ends before it is whole
 */
export async function readText(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  for await (const chunk of readChunks(request)) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new EdgepressError('bad_request', `The body is longer than ${maxBytes} bytes: send it in parts`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
