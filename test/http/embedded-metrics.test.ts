import { expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { startOrigin, startService, targetFor, temporaryFolder, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { failingStore } from '../support/store/failing-store.ts';

/** Starts a service whose log CloudWatch reads, as that of containers, and which may fetch from an origin. */
async function setUp(overrides: Parameters<typeof startService>[1] = {}) {
  const photo = await photograph();
  const origin = await startOrigin((request, response) => {
    if (request.url === '/gone.jpg') response.writeHead(404).end();
    else response.end(photo);
  });
  const env = {
    EMF_NAMESPACE: 'edgepress/test',
    ADMIN_TOKEN: 'operators',
    SOURCE_ALLOW_PRIVATE: origin.authority,
  };
  const service = await startService({ ...env, PREWARM_WIDTHS: '160', PREWARM_FORMATS: 'webp' }, overrides);
  /** What CloudWatch makes metrics of in lines with this message: the dimension, and the metric's value. */
  const metricsIn = (message: string) =>
    service.log
      .filter(({ msg }) => msg === message)
      .flatMap((line) => {
        const { CloudWatchMetrics = [] } = (line['_aws'] ?? {}) as { CloudWatchMetrics?: Directive[] };
        return CloudWatchMetrics.flatMap(({ Namespace, Dimensions: [[dimension]], Metrics }) =>
          Metrics.map(({ Name }) => [Namespace, line[dimension], Name, line[Name]]),
        );
      });
  return { origin, service, metricsIn };
}

interface Directive {
  Namespace: string;
  Dimensions: [[string]];
  Metrics: { Name: string }[];
}

it('a server logs prewarmed images as metrics for CloudWatch', async () => {
  const { origin, service, metricsIn } = await setUp();
  const unit = { id: 'unit-1', images: [`${origin.url}/a.jpg`, `${origin.url}/gone.jpg`] };
  const headers = { authorization: 'Bearer operators', 'content-type': 'application/x-ndjson' };
  await service.request('/units', { method: 'POST', headers, body: JSON.stringify(unit) });
  await until(() => service.log.filter(({ msg }) => msg === 'prewarm').length === 2);
  expect(metricsIn('prewarm').toSorted()).toEqual([
    ['edgepress/test', 'broken', 'images', 1],
    ['edgepress/test', 'ready', 'images', 1],
    ['edgepress/test', 'source_not_found', 'brokenImages', 1],
  ]);
});

it('a server that ends logs failures of the store as metrics that were not logged yet', async () => {
  const store = failingStore(createFileStore({ root: await temporaryFolder() }), /\.webp$/, 'put');
  const { origin, service, metricsIn } = await setUp({ store });
  const target = targetFor(`${origin.url}/a.jpg`, { width: 160, format: 'webp' });
  expect((await service.request(target)).status).toBe(200);
  expect(metricsIn('counts')).toEqual([]);
  await service.stop();
  expect(metricsIn('counts')).toContainEqual(['edgepress/test', 'put', 'storeFaults', 1]);
});
