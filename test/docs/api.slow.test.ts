import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/http/listen.ts';
import type { OpenApiDocument } from '../../src/http/openapi/openapi.ts';
import { createDocumentCheck, operationsOf } from '../support/http/openapi-document.ts';
import { startAdminService, TOKEN } from '../support/http/operator.ts';
import { startOrigin, temporaryFolder } from '../support/http/service.ts';
import { codeBlocksOf, readPage } from '../support/markdown.ts';
import { photograph } from '../support/pictures.ts';

const run = promisify(execFile);

it('The commands of docs/api.md run as written, and the server answers each as the document says', async () => {
  const photo = await photograph();
  const origin = await startOrigin((request, response) =>
    request.url === '/missing.jpg' ? response.writeHead(404).end() : response.end(photo),
  );
  const { service, queueIsEmpty } = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const { app, handleImage } = service;
  const listener = await listen(app, { host: '127.0.0.1', port: 0, handleImage });
  onTestFinished(() => listener.close(0));
  const document = (await (await service.request('/openapi.json')).json()) as OpenApiDocument;
  const { strictErrorsOf } = createDocumentCheck(document);
  const successes = operationsOf(document.paths)
    .flatMap(({ operation: { responses } }) => [responses[200], responses[202]])
    .flatMap((response) => {
      const schema = response?.content?.['application/json']?.schema;
      return schema ? [schema] : [];
    });
  const commands = codeBlocksOf(readPage('docs/api.md')).filter(({ language }) => language === 'sh');
  const folder = await temporaryFolder();

  for (const { text } of commands) {
    // The ports of `npm start` may be taken.
    const command = text
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${listener.port}`)
      .replaceAll('127.0.0.1:3001', origin.authority)
      .replaceAll('127.0.0.1%3A3001', encodeURIComponent(origin.authority));
    const env = { ...process.env, ADMIN_TOKEN: TOKEN };
    const { stdout } = await run('sh', ['-c', command], { cwd: folder, env });
    await queueIsEmpty();
    if (command.includes(' -o image.avif ')) {
      expect(statSync(join(folder, 'image.avif')).size).toBeGreaterThan(1000);
      continue;
    }
    const answer: unknown = JSON.parse(stdout);
    expect([command, successes.some((schema) => strictErrorsOf(schema, answer).length === 0)]).toEqual([
      command,
      true,
    ]);
  }
  expect(commands.length).toBeGreaterThanOrEqual(6);
});
