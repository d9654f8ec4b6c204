import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { createLambdaPlatform } from '../../src/telemetry/lambda-platform.ts';
import { formatTraceparent, parseTraceparent, parseXrayHeader } from '../../src/telemetry/traceparent.ts';
import {
  setUpPhotograph,
  startHeldOrigin,
  startOrigin,
  startService,
  targetFor,
  temporaryFolder,
  until,
} from '../support/http/service.ts';
import { failingStore } from '../support/store/failing-store.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('The id of a request', () => {
  it('is the one that it came with, in its answer and its log line', async () => {
    const { service, target } = await setUpPhotograph();
    const response = await service.request(await target(), { headers: { 'X-Request-Id': 'from-the-app.1' } });
    expect(response.headers.get('x-request-id')).toBe('from-the-app.1');
    expect(service.log.at(-1)).toMatchObject({ msg: 'request', requestId: 'from-the-app.1' });
  });

  it.each(['two words', 'x'.repeat(129), '{"a":1}', '\xfc'])(
    'is a new one in place of %j, which is not safe in a log',
    async (id) => {
      const service = await startService();
      const headers = { 'X-Request-Id': id };
      const first = await service.request('/elsewhere', { headers });
      const second = await service.request('/elsewhere', { headers });
      const ids = [first, second].map((response) => response.headers.get('x-request-id'));
      expect(ids[0]).toMatch(/^[\w-]{5,40}$/);
      expect(ids[0]).not.toBe(ids[1]);
      expect(service.log.filter(({ msg }) => msg === 'request').map(({ requestId }) => requestId)).toEqual(
        ids,
      );
    },
  );

  it('is in each line that is logged meanwhile, with that of the trace', async () => {
    const store = failingStore(createFileStore({ root: await temporaryFolder() }), /\.webp$/, 'put');
    const { service, target } = await setUpPhotograph({}, { store });
    await service.request(await target({ format: 'webp' }), {
      headers: { 'X-Request-Id': 'abc', traceparent: TRACEPARENT },
    });
    const lines = service.log.filter(({ unit, operation }) => unit !== undefined || operation !== undefined);
    expect(lines.map(({ msg }) => msg)).toContain('the store failed; the work went on without it');
    for (const line of lines) expect(line).toMatchObject({ requestId: 'abc', traceId: TRACE });
  });

  it('names, in the line of a request that joined another, the one that it joined', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160, format: 'webp' });
    const send = (id: string) => service.request(target, { headers: { 'X-Request-Id': id } });
    const requests = [send('first')];
    await until(() => held.length > 0);
    requests.push(send('second'));
    // Requests are read in order, so the second one has joined once a third one is answered.
    await service.request('/u/unit-1');
    answerAll();
    await Promise.all(requests);
    const lineOf = (id: string) => service.log.find(({ requestId }) => requestId === id);
    expect(lineOf('second')).toMatchObject({ joined: true, joinedRequestId: 'first' });
    expect(lineOf('first')).not.toHaveProperty('joinedRequestId');
  });
});

describe('A source', () => {
  it('gets the trace of the request as it came, and no other header of it', async () => {
    const seen: Record<string, unknown>[] = [];
    const origin = await startOrigin(({ headers }, response) => {
      seen.push(headers);
      response.writeHead(404).end();
    });
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    await service.request(targetFor(`${origin.url}/a.jpg`), {
      headers: {
        traceparent: TRACEPARENT,
        tracestate: 'vendor=secret',
        'X-Request-Id': 'secret',
        baggage: 'user=secret',
      },
    });
    expect(seen[0]).toMatchObject({ traceparent: TRACEPARENT, 'cdn-loop': 'edgepress' });
    expect(JSON.stringify(seen)).not.toContain('secret');
  });

  it('gets a trace of its own where none came, whose id is in the log', async () => {
    const seen: unknown[] = [];
    const origin = await startOrigin(({ headers }, response) => {
      seen.push(headers['traceparent']);
      response.writeHead(404).end();
    });
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    await service.request(targetFor(`${origin.url}/a.jpg`), { headers: { traceparent: '00-broken' } });
    const trace = parseTraceparent(String(seen[0]));
    expect(trace).toMatchObject({ sampled: false });
    expect(service.log.at(-1)).toMatchObject({ traceId: trace?.traceId });
  });
});

describe('traceparent', () => {
  it('is read and written as W3C Trace Context says', () => {
    const trace = parseTraceparent(TRACEPARENT);
    expect(trace).toEqual({ traceId: TRACE, parentId: 'b7ad6b7169203331', sampled: true });
    expect(trace && formatTraceparent(trace)).toBe(TRACEPARENT);
    expect(parseTraceparent(`${TRACEPARENT.replace('00-', 'cc-')}-more`)).toEqual(trace);
  });

  it.each([
    '',
    `${TRACEPARENT}-more`,
    TRACEPARENT.replace('00-', 'ff-'),
    TRACEPARENT.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
  ])('is not valid as %j', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe('An invocation on AWS Lambda', () => {
  const xrayHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

  it('is known by the id and the trace that the platform gives it', () => {
    const platform = createLambdaPlatform();
    platform.enter({ awsRequestId: 'c6af9ac6-7b61', xrayHeader });
    expect(platform.current()).toEqual({
      requestId: 'c6af9ac6-7b61',
      trace: { traceId: '5759e988bd862e3fe1be46a994272793', parentId: '53995c3f42cd8ad8', sampled: true },
      logFields: { xrayTraceId: '1-5759e988-bd862e3fe1be46a994272793' },
    });
    platform.enter({ xrayHeader: undefined });
    expect(platform.current()).toEqual({ requestId: undefined, trace: undefined });
  });

  it('has no trace that X-Ray has not named in full', () => {
    expect(parseXrayHeader('Root=1-5759e988-bd862e3fe1be46a994272793')).toBeUndefined();
    expect(parseXrayHeader('nonsense')).toBeUndefined();
  });
});
