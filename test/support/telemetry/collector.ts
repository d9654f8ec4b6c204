import { gunzipSync } from 'node:zlib';
import { onTestFinished, vi } from 'vitest';
import { startOrigin } from '../http/service.ts';
import { Message } from './protobuf.ts';

/** A span as it arrived. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentId: string;
  kind: number;
  /** In nanoseconds since 1970. */
  start: bigint;
  end: bigint;
  attributes: Record<string, string | number>;
  /** 2: an error. */
  status: number;
}

/** A number of a metric as it arrived; of a histogram its count. */
export interface ReceivedPoint {
  name: string;
  attributes: Record<string, string | number>;
  value: number;
}

/** A collector for OTLP over HTTP on loopback, to which the environment points until the test ends. Field numbers: opentelemetry-proto 1.x. */
export async function startCollector(env: Record<string, string> = {}) {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const resources: Record<string, string | number>[] = [];
  const { url } = await startOrigin((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isGzip = request.headers['content-encoding'] === 'gzip';
      const message = new Message(isGzip ? gunzipSync(body) : body);
      for (const resource of message.path(1, 1)) resources.push(resource.attributes(1));
      if (request.url === '/v1/traces') spans.push(...message.path(1, 2, 2).map(spanOf));
      else if (request.url === '/v1/metrics') points.push(...message.path(1, 2, 2).flatMap(pointsOf));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  // The SDK reads the environment of the process.
  for (const [name, value] of Object.entries({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env }))
    vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { url, spans, points, resources };
}

function spanOf(span: Message): ReceivedSpan {
  return {
    ...{ traceId: span.hex(1), spanId: span.hex(2), parentId: span.hex(4), name: span.text(5) },
    ...{ kind: Number(span.number(6)), start: span.number(7), end: span.number(8) },
    ...{ attributes: span.attributes(9), status: Number(span.all(15)[0]?.number(3) ?? 0) },
  };
}

function pointsOf(metric: Message): ReceivedPoint[] {
  const name = metric.text(1);
  const numbers = [...metric.path(5, 1), ...metric.path(7, 1)].map((point) => ({
    ...{ name, attributes: point.attributes(7), value: point.double(4) },
  }));
  const counts = metric.path(9, 1).map((point) => ({
    ...{ name, attributes: point.attributes(9), value: Number(point.number(4)) },
  }));
  return [...numbers, ...counts];
}
