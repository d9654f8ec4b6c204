import { describe, expect, it } from 'vitest';
import { startAdminService, TOKEN, unitLine } from '../support/http/operator.ts';
import { startOrigin, startService, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { type ReceivedSpan, startCollector } from '../support/telemetry/collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SAMPLED = { traceparent: `00-${TRACE}-${CALLER}-01` };
const SERVER = 2;
const CONSUMER = 5;

async function setUp(env: Record<string, string> = {}) {
  const collector = await startCollector(env);
  const photo = await photograph();
  const traceparents: unknown[] = [];
  const origin = await startOrigin(({ url = '', headers }, response) => {
    traceparents.push(headers['traceparent']);
    if (url.startsWith('/gone')) response.writeHead(404).end();
    else response.end(photo);
  });
  const serviceEnv = {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, SOURCE_ALLOW_PRIVATE: origin.authority, ...env },
  };
  const target = (path = '/a.jpg') => targetFor(origin.url + path, { width: 160, format: 'webp' });
  return { collector, origin, traceparents, serviceEnv, target };
}

function childrenOf(spans: readonly ReceivedSpan[], parent: ReceivedSpan | undefined): string[] {
  return spans.filter(({ parentId }) => parentId === parent?.spanId).map(({ name }) => name);
}

describe('With a collector of OpenTelemetry', () => {
  it('a miss is a span of the trace that it came with, and each of its steps a span below', async () => {
    const { collector, serviceEnv, target, traceparents } = await setUp();
    const service = await startService(serviceEnv);
    await service.request(await target(), { headers: SAMPLED });
    await service.stop();
    const { spans } = collector;
    const request = spans.find(({ kind }) => kind === SERVER);
    expect(request).toMatchObject({
      ...{ name: 'GET /u/{unit}', traceId: TRACE, parentId: CALLER, status: 0 },
      attributes: {
        ...{ 'http.request.method': 'GET', 'http.response.status_code': 200 },
        ...{ 'edgepress.outcome': 'miss', 'edgepress.unit': 'unit-1' },
      },
    });
    expect(childrenOf(spans, request)).toEqual(
      expect.arrayContaining(['store', 'record', 'fetch', 'decode', 'encode', 'put']),
    );
    for (const span of spans) {
      expect(span.traceId).toBe(TRACE);
      expect(span.end).toBeGreaterThanOrEqual(span.start);
    }
    // The source learns of this span, and of nothing else.
    expect(traceparents).toEqual([`00-${TRACE}-${request?.spanId}-01`]);
  });

  it('a hit is one span, and a failure of the source is marked in the step and, with a 5xx only, in the request', async () => {
    const { collector, serviceEnv, target } = await setUp();
    const service = await startService(serviceEnv);
    await service.request(await target());
    // Until it is in memory: then it needs no trace of its own.
    await until(async () => {
      await service.request(await target());
      return service.log.at(-1)?.['traceId'] === undefined;
    });
    await service.request(await target('/gone'));
    await service.stop();
    const requests = collector.spans.filter(({ kind }) => kind === SERVER);
    const [hit, gone] = requests.slice(-2);
    expect(hit).toMatchObject({ status: 0, attributes: { 'edgepress.outcome': 'hit' } });
    expect(childrenOf(collector.spans, hit)).toEqual([]);
    expect(gone).toMatchObject({ status: 0, attributes: { 'edgepress.code': 'source_not_found' } });
    const failed = collector.spans.filter(({ status }) => status === 2);
    expect(failed.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
      ['fetch', 'source_not_found'],
    ]);
  });

  it('a job is a span of the trace in which its unit was sent', async () => {
    const { collector, serviceEnv, origin } = await setUp();
    const { service, queueIsEmpty } = await startAdminService(serviceEnv);
    const body = unitLine('unit-7', `${origin.url}/a.jpg`);
    await service.request('/units', {
      ...{ method: 'POST', body },
      headers: { ...SAMPLED, Authorization: `Bearer ${TOKEN}` },
    });
    await queueIsEmpty();
    await service.stop();
    const { spans } = collector;
    const post = spans.find(({ kind }) => kind === SERVER);
    const job = spans.find(({ kind }) => kind === CONSUMER);
    expect(post).toMatchObject({ traceId: TRACE, parentId: CALLER });
    expect(job).toMatchObject({
      traceId: TRACE,
      parentId: post?.spanId,
      attributes: { 'edgepress.unit': 'unit-7' },
    });
    const batch = spans.find(({ name }) => name === 'make variants');
    expect(batch?.parentId).toBe(job?.spanId);
    expect(childrenOf(spans, batch)).toEqual(expect.arrayContaining(['fetch', 'decode', 'encode', 'put']));
  });

  it('records what the sampler of the environment chooses', async () => {
    const { collector, serviceEnv, target } = await setUp({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    const service = await startService(serviceEnv);
    await service.request(await target());
    await service.request(await target(), { headers: SAMPLED });
    await service.stop();
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  });

  it('sends the metrics of Prometheus under their names, without a token for them', async () => {
    const { collector, serviceEnv, target } = await setUp({
      ...{ OTEL_SERVICE_NAME: 'images', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' },
    });
    const service = await startService(serviceEnv);
    await service.request(await target());
    await service.stop();
    expect(collector.points).toContainEqual({
      ...{ name: 'edgepress_requests_total', attributes: { outcome: 'miss', code: '' }, value: 1 },
    });
    expect(collector.points).toContainEqual({
      ...{ name: 'edgepress_step_seconds', attributes: { step: 'fetch' }, value: 1 },
    });
    expect(collector.points.some(({ name }) => name === 'process_resident_memory_bytes')).toBe(true);
    expect(collector.resources[0]).toMatchObject({
      ...{ 'service.name': 'images', 'deployment.environment.name': 'test' },
    });
  });

  it('sends nothing that was switched off', async () => {
    const { collector, serviceEnv, target } = await setUp({
      ...{ OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' },
    });
    const service = await startService(serviceEnv);
    await service.request(await target());
    await service.stop();
    expect([...collector.spans, ...collector.points]).toEqual([]);
  });

  it('answers and ends without a collector that answers', async () => {
    const { serviceEnv, target, origin } = await setUp();
    const service = await startService({ ...serviceEnv, OTEL_EXPORTER_OTLP_ENDPOINT: `${origin.url}/gone` });
    expect((await service.request(await target())).status).toBe(200);
    await service.stop();
  });
});
