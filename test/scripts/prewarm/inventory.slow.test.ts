import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { parseLines, setUpCommands } from '../../support/command.ts';
import { createBucket, describeS3, s3Server } from '../../support/store/bucket.ts';

const MANIFEST = 'inventory/photos/all/2026-11-28T01-00Z/manifest.json';
const SCHEMA = 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, StorageClass';

interface Row {
  key: string;
  cells?: Partial<Record<'latest' | 'marker' | 'size' | 'storage', string>>;
}

/** As S3 writes it: all cells in quotes, without a header, keys as in a query string. */
function dataFile(bucket: string, rows: readonly Row[]): Buffer {
  const lines = rows.map(
    ({ key, cells: { latest = 'true', marker = 'false', size = '9', storage = 'STANDARD' } = {} }) => {
      const encoded = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
      return [bucket, encoded, '', latest, marker, size, storage].map((cell) => `"${cell}"`).join(',');
    },
  );
  return gzipSync(`${lines.join('\n')}\n`);
}

/** A bucket with photographs at these keys, and an inventory of it in two files; and commands that use it. */
async function setUpInventory(files: readonly (readonly Row[])[], manifest: object = {}) {
  const commands = await setUpCommands();
  const { bucket, client } = await createBucket();
  const put = (Key: string, Body: Buffer | string) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  for (const { key } of files.flat()) await put(key, commands.photo as Buffer);
  const parts = files.map((rows, index) => ({
    ...{ key: `inventory/photos/all/data/${index}.csv.gz`, body: dataFile(bucket, rows) },
  }));
  for (const { key, body } of parts) await put(key, body);
  const listed = parts.map(({ key, body }) => ({ key, size: body.length, MD5checksum: '' }));
  const content = {
    sourceBucket: bucket,
    version: '2016-11-30',
    fileFormat: 'CSV',
    fileSchema: SCHEMA,
    files: listed,
  };
  await put(MANIFEST, JSON.stringify({ ...content, ...manifest }));
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  const env = {
    ...{ S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    ...{
      AWS_REGION: 'us-east-1',
      PREWARM_FORMATS: 'webp',
      PREWARM_EFFORT: 'fast',
      SOURCE_ALLOW: `s3://${bucket}/*`,
    },
  };
  const run = (args: readonly string[], more: Record<string, string> = {}) =>
    commands.run(['prewarm', `s3://${bucket}/${MANIFEST}`, '--json', ...args], '', { ...env, ...more });
  return { ...commands, run, bucket };
}

const imagesIn = (stdout: string) =>
  parseLines(stdout)
    .map(({ unit, name, state }) => `${unit} ${name ?? ''} ${state}`)
    .sort();

describeS3('prewarm of an S3 Inventory', () => {
  it('makes a unit of each folder, though its objects are anywhere in the files', async () => {
    const { run, bucket } = await setUpInventory([
      [
        { key: 'photos/unit-1/b c+é.jpg' },
        { key: 'photos/unit-2/1.jpg' },
        { key: 'photos/unit-1/notes.txt' },
      ],
      [{ key: 'photos/unit-1/a.jpg' }, { key: 'top.jpg' }, { key: 'photos/not an id/1.jpg' }],
    ]);
    const { stdout, stderr, status } = await run([]);
    expect(imagesIn(stdout)).toEqual([
      'not an id  refused',
      'unit-1 a.jpg ready',
      'unit-1 b c+é.jpg ready',
      'unit-2 1.jpg ready',
    ]);
    const sources = parseLines(stdout).map(({ src }) => src);
    expect(sources).toContain(`s3://${bucket}/photos/unit-1/b c+é.jpg`);
    expect(stderr).toContain('6 objects in the inventory, 4 images of units among them');
    expect(stderr).toContain(
      'an object with the name of no image: left out (line 3: `photos/unit-1/notes.txt`)',
    );
    expect(stderr).toContain('an object whose key --unit-of does not match: left out (line 5: `top.jpg`)');
    expect(status).toBe(2);
  });

  it('leaves out what is no object any more, and what cannot be read', async () => {
    const { run } = await setUpInventory([
      [
        { key: 'u/old.jpg', cells: { latest: 'false' } },
        { key: 'u/deleted.jpg', cells: { marker: 'true' } },
        { key: 'u/cold.jpg', cells: { storage: 'DEEP_ARCHIVE' } },
        { key: 'u/empty.jpg', cells: { size: '0' } },
        { key: 'u/without-extension' },
      ],
    ]);
    const { stdout, stderr, status } = await run([]);
    expect(imagesIn(stdout)).toEqual(['u without-extension ready']);
    expect(stderr).toContain(
      'an object in an archive, which has to be restored first: left out (line 3: `u/cold.jpg`)',
    );
    expect(stderr).toContain('an empty object: left out (line 4: `u/empty.jpg`)');
    expect(status).toBe(0);
  });

  it('takes ids, names and groups from a pattern, and fetches from another URL', async () => {
    const { run, origin } = await setUpInventory([
      [{ key: 'c7/2026/12-front.jpg' }, { key: 'c7/2027/12-front.jpg' }, { key: 'c7/2026/13-back side.jpg' }],
    ]);
    const pattern = '^(?<group>[^/]+)/[^/]+/(?<id>\\d+)-(?<name>.+)\\.jpg$';
    const args = ['--unit-of', pattern, '--base-url', `${origin.url}/img`];
    const { stdout, status } = await run(args, { SOURCE_ALLOW: '' });
    expect(imagesIn(stdout)).toEqual([
      '12 c7/2027/12-front.jpg ready',
      '12 front ready',
      '13 back side ready',
    ]);
    expect(origin.requests).toContain('/img/c7/2026/13-back%20side.jpg');
    expect(status).toBe(0);
  });

  it('refuses other formats, sources that are not allowed and patterns without an id, and says what to do', async () => {
    const { run } = await setUpInventory([[{ key: 'u/1.jpg' }]]);
    expect(await run([], { SOURCE_ALLOW: '' })).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining('SOURCE_ALLOW names no object of s3://') },
    });
    expect(await run(['--unit-of', '^(.*)/'])).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining('--unit-of has no group named id') },
    });
    const orc = await setUpInventory([], {
      fileFormat: 'ORC',
      fileSchema: 'struct<bucket:string,key:string>',
    });
    expect(await orc.run([])).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining('an S3 Inventory in ORC: configure it with') },
    });
    const units = await setUpCommands();
    expect(
      await units.run(['prewarm', await units.write('u.jsonl', []), '--base-url', 'https://x.test']),
    ).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining('--unit-of and --base-url are for an S3 Inventory') },
    });
  });
});
