import type { Template } from 'aws-cdk-lib/assertions';
import sharp from 'sharp';
import { createSqsApi } from '../../../src/queue/sqs-api.ts';
import { ACCOUNT, cloudFormation } from '../aws/account-services.ts';
import {
  type AwsService,
  actionOf,
  json,
  jsonRefusal,
  REGION,
  startAws,
  targetOf,
  xml,
  xmlRefusal,
} from '../aws/aws.ts';
import { KEY_VALUE_STORE_ARN, keyValueStore } from '../aws/key-value-store.ts';
import { SECRET_ARN, secretsManager } from '../aws/secrets-manager.ts';
import { CREDENTIALS } from '../aws/signatures.ts';
import { DISTRIBUTION, startCloudFront } from '../cloudfront.ts';
import { startOrigin } from '../http/service.ts';
import { findFunction, onlyResource } from '../infra/resources.ts';
import { synthesise } from '../infra/synthesise.ts';
import { SECRET, startReceiver } from '../notify/receiver.ts';
import { photograph } from '../pictures.ts';
import { createTestQueue } from '../queue/sqs.ts';
import { createBucket, s3Server } from '../store/bucket.ts';
import type { IamCall } from './iam-calls.ts';
import { type DeployedNames, deployed, deployedPolicy } from './policies.ts';
import { startAwsRecorder } from './recorder.ts';
import type { Simulated } from './simulate.ts';

const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:units`;
const secretArn = (name: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-a1b2c3`;
/** The stack takes no webhook on loopback: programs get another URL for this one. */
const HOOK = 'https://hooks.example.com/units';
/** Secrets that the stack is given, and their texts. */
const GIVEN_SECRETS: Readonly<Record<string, string>> = {
  [secretArn('source-headers')]: '{"https://private.example.com/*": {"Authorization": "Bearer t"}}',
  [secretArn('hooks')]: SECRET,
};

export type Deployment = Awaited<ReturnType<typeof setUpDeployment>>;

/**
 * Sets up the stack with every option that grants something, as it is once it has been deployed: its buckets and queue, and stubs of all else.
 *
 * @param signingKeys - those that the edge and signers have
 */
export async function setUpDeployment(signingKeys?: string) {
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  const [store, originals, deliveries] = await Promise.all([createBucket(), createBucket(), createBucket()]);
  const queue = await createTestQueue();
  // Small: many units are made of it.
  const photo = await sharp(await photograph())
    .resize(64)
    .jpeg()
    .toBuffer();
  let onRequest: () => Promise<unknown> = async () => {};
  const origin = await startOrigin(async (request, response) => {
    await onRequest();
    if (request.url?.startsWith('/gone') === true) response.writeHead(404).end();
    else response.end(photo);
  });
  let isRefusing = false;
  const receiver = await startReceiver((_event, _nth, response) =>
    response.writeHead(isRefusing ? 503 : 200, { 'Retry-After': '0' }).end(),
  );
  const [headers, hooks] = Object.keys(GIVEN_SECRETS) as [string, string];
  const template = synthesise({
    sourceAllow: [`${origin.url}/*`, `s3://${originals.bucket}/a/*`],
    sourceHeaders: headers,
    ingestFrom: [`s3://${deliveries.bucket}/units/`],
    notify: [HOOK, `sns:${TOPIC}`, 'eventbridge:units'],
    notifySecret: hooks,
    upgrade: 'on',
    fargateMaxTasks: 1,
    prewarmEffort: 'fast',
    prewarmWidths: [160],
    prewarmFormats: ['webp'],
  });
  const names = namesOf({ bucket: store.bucket, queue: queue.url, deadLetters: queue.deadUrl });
  const cloudfront = await startCloudFront();
  const stack = { status: 'CREATE_COMPLETE', outputs: outputsOf(template, names) };
  const aws = await startAws(
    ...[cloudFormation({ Test: stack }), keyValueStore(signingKeys), secrets(signingKeys), sns, eventBridge],
  );
  const servers = {
    s3: endpoint,
    sqs: new URL(queue.url).origin,
    cloudfront: cloudfront.endpoint,
    '*': aws.env['AWS_ENDPOINT_URL'] ?? '',
  };
  const credentials = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return {
    ...{ store, originals, deliveries, queue },
    origin: {
      ...origin,
      /** Has this done before each answer from now on. */
      onRequest: (then: () => Promise<unknown>) => {
        onRequest = then;
      },
    },
    receiver: {
      ...receiver,
      refuse: (refusing: boolean) => {
        isRefusing = refusing;
      },
    },
    /** Sends a message to the queue. */
    send: (body: string) => createSqsApi(queue).send([{ body, group: undefined }], 0),
    outputs: stack.outputs,
    policy: (id: string) => deployedPolicy(template, id, names),
    /** Puts the names of resources in place of what they are called here. */
    withNames: ({ refused, unused }: Simulated): Simulated => ({
      refused: refused.map((text) => withNames(text, names)),
      unused: unused.map((text) => withNames(text, names)).toSorted(),
    }),
    /** What the commands of the AWS CLI ask for that are outputs of the stack. */
    runbook: (): IamCall[] => Object.entries(stack.outputs).flatMap(([id, text]) => runbookCall(id, text)),
    /** Starts the recorder of a principal. Returns it with the environment of a program whose requests go there. */
    async record({ withKeyValueStore = false } = {}) {
      const recorder = await startAwsRecorder(servers);
      // Its stub verifies signatures, with the one secret that it knows.
      const identity = withKeyValueStore ? CREDENTIALS : credentials;
      const notify = `${receiver.env.NOTIFY},sns:${TOPIC},eventbridge:units`;
      const loopback = {
        NOTIFY: notify,
        SOURCE_ALLOW_PRIVATE: origin.authority,
        NOTIFY_ALLOW_PRIVATE: receiver.authority,
      };
      return { recorder, env: { AWS_REGION: REGION, ...identity, ...loopback, ...recorder.env } };
    },
    /** The environment that the stack gives a function or the container, and commands. */
    environmentOf(
      program: 'lambda-image' | 'lambda-worker' | 'container' | 'commands',
    ): Record<string, string> {
      if (program === 'commands') return JSON.parse(stack.outputs['Environment'] ?? '');
      if (program !== 'container') {
        const { Environment } = findFunction(template, `${program}.handler`) as {
          Environment?: { Variables: object };
        };
        return deployed(Environment?.Variables, names) as Record<string, string>;
      }
      const { ContainerDefinitions } = onlyResource(template, 'AWS::ECS::TaskDefinition') as {
        ContainerDefinitions: { Environment: { Name: string; Value: unknown }[] }[];
      };
      const variables = ContainerDefinitions[0]?.Environment ?? [];
      return Object.fromEntries(variables.map(({ Name, Value }) => [Name, String(deployed(Value, names))]));
    },
  };
}

function namesOf({
  bucket,
  queue,
  deadLetters,
}: {
  bucket: string;
  queue: string;
  deadLetters: string;
}): DeployedNames {
  const logGroups = ['ImageFunctionLogs', 'WorkerLogs', 'FargateWorkersLogs'].flatMap((id) => [
    [id, id],
    [`${id}.Arn`, `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${id}:*`],
  ]);
  const queueArn = (url: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${url.split('/').at(-1)}`;
  return {
    'AWS::Partition': 'aws',
    'AWS::Region': REGION,
    'AWS::AccountId': ACCOUNT,
    Bucket: bucket,
    'Bucket.Arn': `arn:aws:s3:::${bucket}`,
    Queue: queue,
    'Queue.Arn': queueArn(queue),
    DeadLetters: deadLetters,
    'DeadLetters.Arn': queueArn(deadLetters),
    Distribution: DISTRIBUTION,
    'Distribution.Arn': `arn:aws:cloudfront::${ACCOUNT}:distribution/${DISTRIBUTION}`,
    'Distribution.DomainName': 'd111111abcdef8.cloudfront.net',
    SigningKeys: SECRET_ARN,
    'EdgeKeys.Arn': KEY_VALUE_STORE_ARN,
    ...Object.fromEntries(logGroups),
  };
}

function withNames(text: string, names: DeployedNames): string {
  const arns = Object.entries(names).filter(([, name]) => name.startsWith('arn:'));
  // A name may begin with another one.
  arns.sort(([, one], [, other]) => other.length - one.length);
  return arns.reduce((named, [id, arn]) => named.replaceAll(arn, `{${id.replace('.Arn', '')}}`), text);
}

/** Those outputs that name nothing but the above. */
function outputsOf(template: Template, names: DeployedNames): Record<string, string> {
  const wanted = ['Environment', 'Url', 'KeyValueStoreArn', 'SigningKeysSecretArn'];
  const outputs = template.findOutputs('*');
  const texts = Object.entries(outputs).filter(([id]) => wanted.includes(id) || id.startsWith('Runbook'));
  return Object.fromEntries(texts.map(([id, { Value }]) => [id, String(deployed(Value, names))]));
}

/** `aws logs tail` filters the events of a log group; `aws sqs` is called with the names of operations. */
function runbookCall(id: string, command: string): IamCall[] {
  const [, group] = /^aws logs tail (\S+) /.exec(command) ?? [];
  if (group !== undefined)
    return [
      { action: 'logs:FilterLogEvents', resource: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}:*` },
    ];
  const [, operation, resource] = /^aws sqs ([a-z-]+) .*--source-arn (\S+)/.exec(command) ?? [];
  if (operation === undefined || resource === undefined) {
    if (command.startsWith('aws ')) throw new Error(`what does ${id} ask for?`);
    return [];
  }
  const pascal = operation.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return [{ action: `sqs:${pascal}`, resource }];
}

/** Secrets Manager with those that the stack is given beside its own. */
function secrets(signingKeys: string | undefined): AwsService {
  const own = secretsManager(signingKeys);
  return {
    ...own,
    answer(operation, call) {
      const { SecretId } = JSON.parse(call.body) as { SecretId: string };
      const text = GIVEN_SECRETS[SecretId];
      if (text === undefined) return own.answer(operation, call);
      return json(200, { ARN: SecretId, SecretString: text, VersionId: 'v' });
    },
  };
}

const sns: AwsService = {
  name: 'sns',
  operationOf: (call) => actionOf(call, '2010-03-31'),
  refuse: xmlRefusal,
  answer: (operation) => xml(operation, '<MessageId>m</MessageId>'),
};

const eventBridge: AwsService = {
  name: 'events',
  operationOf: (call) => targetOf(call, 'AWSEvents'),
  refuse: jsonRefusal,
  answer: () => json(200, { FailedEntryCount: 0, Entries: [{ EventId: 'e' }] }),
};
