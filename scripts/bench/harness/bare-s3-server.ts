// Started as a process of its own. The lower bound that hits in S3 are compared with: a node:http server that gets one object for each
// request, sends it, and does nothing else.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../../src/store/s3-client.ts';

const { S3_ENDPOINT: endpoint = '', BUCKET, KEY, HEADERS = '{}' } = process.env;
const client = createS3Client({ endpoint });
const headers = JSON.parse(HEADERS);
const server = createServer(async (_request, response) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: KEY }));
  const body = await Body?.transformToByteArray();
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"url":"http://127.0.0.1:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
