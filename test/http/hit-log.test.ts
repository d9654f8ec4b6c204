import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createRequestRecorder } from '../../src/http/request-log.ts';
import { logOptions } from '../../src/telemetry/log-options.ts';
import { createTracing } from '../../src/tracing.ts';
import { createTrace, type Trace } from '../../src/variant/trace.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Returns the lines of a hit: as it is logged, and as the logger itself writes all other requests. */
function linesOf(level: string, trace: Trace) {
  const lines: string[] = [];
  const log = pino(
    { ...logOptions(level), timestamp: () => ',"time":1' },
    { write: (line) => lines.push(line) },
  );
  const child = log.child({ worker: 3 });
  for (const embedMetrics of [undefined, () => ({})]) {
    const { requestId, record } = createRequestRecorder({
      log: child,
      tracing: createTracing(),
      embedMetrics,
    });
    requestId(trace, undefined);
    record({ method: 'GET', status: 206, trace, error: undefined, totalMs: 1.26 });
  }
  return lines;
}

function hit(headers: Record<string, string> = {}): Trace {
  const trace = createTrace(new Headers(headers));
  const facts = { outcome: 'hit', unit: 'unit-1', sourceHost: 'a"b\\c:80', bytesOut: 10 } as const;
  return Object.assign(trace, facts, { ms: { store: 0.04 } });
}

it.each([
  ['without ids of its caller', {}],
  ['with ids of its caller', { traceparent: TRACEPARENT, 'x-request-id': 'caller/1' }],
])('The line of a hit in memory is the one that the logger would write: %s', (_, headers) => {
  const [line, expected] = linesOf('info', hit(headers));
  expect(JSON.parse(line ?? '')).toMatchObject({ level: 30, worker: 3, outcome: 'hit', totalMs: 1.3 });
  expect(line).toBe(expected);
});

it('The line of a hit without a body is the one that the logger would write', () => {
  const { bytesOut: _, ...trace } = hit();
  const [line, expected] = linesOf('info', trace);
  expect(line).toBe(expected);
});

it('The line of a hit has the metrics that are embedded in it', () => {
  const lines: string[] = [];
  const { record } = createRequestRecorder({
    log: pino(logOptions('info'), { write: (line) => lines.push(line) }),
    tracing: createTracing(),
    embedMetrics: () => ({ _aws: { Timestamp: 1 } }),
  });
  record({ method: 'GET', status: 200, trace: hit(), error: undefined, totalMs: 1 });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ outcome: 'hit', _aws: { Timestamp: 1 } });
});

it('A hit is not logged below the level of the log', () => {
  expect(linesOf('warn', hit())).toEqual([]);
});
