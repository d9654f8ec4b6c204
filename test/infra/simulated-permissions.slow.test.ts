// Before any AWS client is loaded.
import '../support/aws/localhost-names.mjs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { LAST_ATTEMPT_PREFIX, SUBMISSION_PREFIX, unitAddress } from '../../src/protocol/keys.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { REGION } from '../support/aws/aws.ts';
import { credentials } from '../support/cloudfront.ts';
import { runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { type Deployment, setUpDeployment } from '../support/iam/deployment.ts';
import type { IamCall } from '../support/iam/iam-calls.ts';
import { simulate } from '../support/iam/simulate.ts';
import { bootFunction, buildArtifact, forwardedTarget } from '../support/lambda/artifact.ts';
import { type FunctionUrlResult, functionUrlEvent } from '../support/lambda/function-url.ts';
import { invokeByQueue } from '../support/lambda/queue-events.ts';
import { photograph } from '../support/pictures.ts';
import { runProgram } from '../support/program.ts';
import { SERVER, SIGNING_KEYS } from '../support/server-process.ts';
import { startTestServer } from '../support/smoke-services.ts';
import { describeS3 } from '../support/store/bucket.ts';

/** More than are submitted one by one: they are stored in a pack. */
const MANY_UNITS = 33;
/** Longer than any mark of a purge, or of work that was cut off, is kept. */
const LONG_DAYS = 20;
const SWEEP = { source: 'aws.events' };

/** Units as lines of NDJSON. */
const unitLines = (ids: readonly string[], image: string) =>
  ids.map((id) => `${JSON.stringify({ id, images: [image] })}\n`).join('');
const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** What Lambda does for a function. */
const writingTo = (log: string) =>
  ['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on {${log}}`);

const onDeadLetters = (action: string) => `sqs:${action} on {DeadLetters}`;

// On a machine that is busy, the programs of a test take a minute to start and end.
vi.setConfig({ testTimeout: 180_000 });

describeS3('of the calls to AWS that the code makes, IAM', () => {
  let artifact: Awaited<ReturnType<typeof buildArtifact>>;
  beforeAll(async () => {
    artifact = await buildArtifact();
  });
  afterAll(() => artifact.remove());

  /** Runs a command of an operator, which must succeed. */
  async function run(args: readonly string[], env: Record<string, string>): Promise<string> {
    const { status, stdout, stderr } = await runCommandInProcess(args, env);
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  }

  async function submit(deployment: Deployment, env: Record<string, string>, lines: string): Promise<void> {
    const file = join(await temporaryFolder(), 'units.jsonl');
    await writeFile(file, lines);
    await run(['prewarm', file], { ...deployment.environmentOf('commands'), ...env });
  }

  /** Whose calls need not be recorded. */
  async function submitUnrecorded(deployment: Deployment, lines: string): Promise<void> {
    await submit(deployment, (await deployment.record()).env, lines);
  }

  const put = ({ bucket, client }: Deployment['store'], Key: string, Body: string | Buffer) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));

  const simulated = async (deployment: Deployment, policy: string, calls: readonly IamCall[]) =>
    deployment.withNames(await simulate(deployment.policy(policy), calls));

  it('allows all to the image function, and nothing more', async () => {
    const deployment = await setUpDeployment();
    const { origin, originals, store } = deployment;
    const { recorder, env } = await deployment.record();
    const lambda = await bootFunction(artifact.folder, 'lambda-image', {
      ...deployment.environmentOf('lambda-image'),
      ...env,
    });
    const ask = async (src: string, width = 320) => {
      const name = { unit: 'unit-1', src, width, tier: 'balanced', format: 'webp' } as const;
      const target = forwardedTarget(name, `/u/unit-1?src=${encodeURIComponent(src)}&sig=k1.x`);
      return (await lambda.invoke<FunctionUrlResult>(functionUrlEvent('GET', target))).statusCode;
    };
    await put(originals, 'a/1.jpg', await photograph());
    expect(await ask(`${origin.url}/1.jpg`)).toBe(200);
    expect(await ask(`${origin.url}/1.jpg`)).toBe(200);
    expect(await ask(`${origin.url}/gone.jpg`)).toBe(404);
    expect(await ask(`${origin.url}/gone.jpg`, 480)).toBe(404);
    expect(await ask(`s3://${originals.bucket}/a/1.jpg`)).toBe(200);
    expect(await ask(`s3://${originals.bucket}/a/2.jpg`)).toBe(404);
    // A purge while an image is made, of a unit that has a mark.
    const { stateKeys } = unitAddress('unit-1', sha256);
    await put(store, stateKeys[0] ?? '', 'a mark');
    const tombstones = createTombstones(createS3Store(store), sha256, Date.now);
    origin.onRequest(() => tombstones.put('unit-1', Date.now()));
    expect(await ask(`${origin.url}/2.jpg`)).toBe(200);

    expect(await simulated(deployment, 'ImageFunctionRole', recorder.calls())).toEqual({
      refused: [],
      unused: writingTo('ImageFunctionLogs'),
    });
  });

  it('allows all to the worker function, and nothing more', async () => {
    const deployment = await setUpDeployment();
    const { origin, originals, deliveries, store, queue, receiver } = deployment;
    const { recorder, env } = await deployment.record();
    const lambda = await bootFunction(artifact.folder, 'lambda-worker', {
      ...deployment.environmentOf('lambda-worker'),
      ...env,
    });
    await put(originals, 'a/1.jpg', await photograph());
    await submitUnrecorded(
      deployment,
      unitLines(numbered('packed', MANY_UNITS), `${origin.url}/1.jpg`) +
        unitLines(['gone'], `${origin.url}/gone.jpg`) +
        unitLines(['s3'], `s3://${originals.bucket}/a/1.jpg`) +
        unitLines(['no-original'], `s3://${originals.bucket}/a/2.jpg`),
    );
    await invokeByQueue(lambda, queue);
    // An object with many units.
    await put(deliveries, 'units/new.jsonl', unitLines(numbered('new', MANY_UNITS), `${origin.url}/2.jpg`));
    const created = (key: string) => {
      const detail = { bucket: { name: deliveries.bucket }, object: { key, size: 1 } };
      return JSON.stringify({ version: '0', source: 'aws.s3', 'detail-type': 'Object Created', detail });
    };
    await deployment.send(created('units/new.jsonl'));
    await deployment.send(created('units/deleted.jsonl'));
    await invokeByQueue(lambda, queue);
    // A unit whose manifest cannot be read: it is tried again, and given up.
    await submitUnrecorded(deployment, unitLines(['bad'], `${origin.url}/1.jpg`));
    await put(store, unitAddress('bad', sha256).manifestKey, '{');
    expect((await invokeByQueue(lambda, queue)).batchItemFailures).toHaveLength(1);
    await submitUnrecorded(deployment, unitLines(['last'], `${origin.url}/1.jpg`));
    await invokeByQueue(lambda, queue, 6);
    // Events that are not taken wait.
    receiver.refuse(true);
    await submitUnrecorded(deployment, unitLines(['told-later'], `${origin.url}/1.jpg`));
    await invokeByQueue(lambda, queue);
    receiver.refuse(false);
    // What was cut off, and variants that outlived a purge.
    const job = { unit: 'packed-1', images: 1, retry: false };
    await put(store, `${SUBMISSION_PREFIX}/1700000000000-0123456789ab.json`, JSON.stringify({ jobs: [job] }));
    await put(store, `${LAST_ATTEMPT_PREFIX}/packed-2/0.json`, JSON.stringify({ ...job, unit: 'packed-2' }));
    const tombstones = createTombstones(createS3Store(store), sha256, Date.now);
    await tombstones.put('packed-3', Date.now());
    await lambda.invoke(SWEEP);
    recorder.age(LONG_DAYS);
    await lambda.invoke(SWEEP);
    await invokeByQueue(lambda, queue);

    expect(await simulated(deployment, 'WorkerRole', recorder.calls())).toEqual({
      refused: [],
      unused: [
        // Asked for once 3,000 tags are being invalidated.
        'cloudfront:GetInvalidation on {Distribution}',
        ...writingTo('WorkerLogs'),
        // Lambda's pollers.
        ...['DeleteMessage', 'GetQueueUrl', 'ReceiveMessage'].map((action) => `sqs:${action} on {Queue}`),
      ],
    });
  });

  it('allows all to workers on Fargate, and nothing more', async () => {
    const deployment = await setUpDeployment();
    const { origin, store } = deployment;
    const { recorder, env } = await deployment.record();
    // The queue of these tests answers at once when it has as many messages as a server with nothing to do asks for.
    // Images that are gone: to encode others takes seconds, and needs nothing else of SQS.
    for (const ids of [['unit-1', 'bad-1'], ['unit-2'], ['bad-2']])
      await submitUnrecorded(deployment, unitLines(ids, `${origin.url}/gone.jpg`));
    // Tried again by itself, and with its message.
    for (const id of ['bad-1', 'bad-2']) await put(store, unitAddress(id, sha256).manifestKey, '{');
    const container = runProgram(SERVER, [], {
      ...deployment.environmentOf('container'),
      ...env,
      PORT: '0',
    });
    for (const id of ['unit-1', 'unit-2', 'bad-1', 'bad-2'])
      await container.printed(new RegExp(`"unit":"${id}"`));
    container.process.kill('SIGTERM');
    expect(await container.ended).toBe(0);
    const { refused, unused } = await simulated(deployment, 'WorkersRole', recorder.calls());
    expect(refused).toEqual([]);
    // All else is what the worker function may do (permissions.slow.test.ts), with the same code.
    expect(unused.filter((grant) => grant.startsWith('sqs:'))).toEqual([]);
  });

  it('allows all to operators, and nothing more', async () => {
    const deployment = await setUpDeployment(SIGNING_KEYS);
    const { origin } = deployment;
    const { recorder, env } = await deployment.record();
    await run(['env', 'Test'], env);
    const environment = { ...deployment.environmentOf('commands'), SIGNING_KEYS, ...env };
    await submit(deployment, env, unitLines(numbered('packed', MANY_UNITS), `${origin.url}/1.jpg`));
    await submit(deployment, env, unitLines(['alone'], `${origin.url}/1.jpg`));
    for (const args of [
      ['status', 'packed-1', 'alone', '--json'],
      ['status', '--state', 'pending'],
      ['status', 'packed-1', '--asked'],
      ['status', '--rebuild-marks'],
      ['purge', 'alone', 'packed-2', '--wait'],
    ])
      await run(args, environment);
    const unrecorded = await deployment.record();
    const url = await startTestServer({
      STORE: (environment as Record<string, string>)['STORE'] ?? '',
      S3_ENDPOINT: unrecorded.recorder.url,
      SOURCE_ALLOW_PRIVATE: new URL(recorder.url).host,
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
    });
    await run(['smoke', url], environment);

    const calls = [...recorder.calls(), ...deployment.runbook()];
    const onLogs = (action: string) =>
      ['FargateWorkersLogs', 'ImageFunctionLogs', 'WorkerLogs'].map((log) => `logs:${action} on {${log}}`);
    expect(await simulated(deployment, 'OperatorPolicy', calls)).toEqual({
      refused: [],
      unused: [
        // To look at logs in the console.
        ...[...onLogs('DescribeLogStreams'), ...onLogs('GetLogEvents')],
        // To stop what `start-message-move-task` has begun; SQS moves messages with the permissions of who asks for it.
        ...['CancelMessageMoveTask', 'DeleteMessage', 'GetQueueAttributes'].map(onDeadLetters),
        // To see how many messages wait.
        'sqs:GetQueueAttributes on {Queue}',
        onDeadLetters('ReceiveMessage'),
      ].toSorted(),
    });
  });

  it('allows all to those who rotate and revoke keys, and nothing more', async () => {
    const deployment = await setUpDeployment(SIGNING_KEYS);
    const { recorder, env } = await deployment.record({ withKeyValueStore: true });
    await run(['keys', 'list', 'Test'], env);
    await run(['keys', 'rotate', 'Test', '--settle', '0'], env);
    await run(['keys', 'revoke', 'Test', 'k', '--settle', '0'], env);
    expect(await simulated(deployment, 'KeyPolicy', recorder.calls())).toEqual({ refused: [], unused: [] });
  });

  it('allows all to a backend that signs URLs, and nothing more', async () => {
    const deployment = await setUpDeployment(SIGNING_KEYS);
    const { recorder } = await deployment.record();
    const secrets = new SecretsManagerClient({ region: REGION, endpoint: recorder.url, credentials });
    const read = new GetSecretValueCommand({ SecretId: deployment.outputs['SigningKeysSecretArn'] });
    expect((await secrets.send(read)).SecretString).toBe(SIGNING_KEYS);
    secrets.destroy();
    expect(await simulated(deployment, 'SignerPolicy', recorder.calls())).toEqual({
      refused: [],
      unused: [],
    });
  });
});
