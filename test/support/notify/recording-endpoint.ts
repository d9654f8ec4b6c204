import { text } from 'node:stream/consumers';
import { startOrigin } from '../http/service.ts';

export const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

export interface Recorded {
  authorization: string;
  /** The operation, in the protocols of AWS that name it in a header. */
  target: string | undefined;
  body: string;
}

/** A server on loopback that records the calls of an AWS SDK. `answer` returns the status and the body. */
export async function startRecordingEndpoint(answer: (nth: number) => { status: number; body: string }) {
  const calls: Recorded[] = [];
  const origin = await startOrigin(async (request, response) => {
    const body = await text(request);
    const { authorization = '', 'x-amz-target': target } = request.headers;
    calls.push({ authorization, target: target?.toString(), body });
    const { status, body: answered } = answer(calls.length);
    response.writeHead(status, { 'Content-Type': request.headers['content-type'] ?? '' }).end(answered);
  });
  return { endpoint: origin.url, calls };
}
