import { type AwsService, actionOf, json, jsonRefusal, REGION, xml, xmlRefusal } from './aws.ts';

export const ACCOUNT = '123456789012';

export interface StubStack {
  status: string;
  outputs?: Readonly<Record<string, string>>;
}

/** A stub of CloudFormation with these stacks, by name. */
export function cloudFormation(stacks: Readonly<Record<string, StubStack>>): AwsService {
  return {
    name: 'cloudformation',
    operationOf: (call) => actionOf(call, '2010-05-15'),
    refuse: xmlRefusal,
    answer(operation, { body, region }) {
      if (operation !== 'DescribeStacks') return xmlRefusal(400, 'InvalidAction', operation);
      const name = new URLSearchParams(body).get('StackName') ?? '';
      const stack = region === REGION ? stacks[name] : undefined;
      if (!stack) return xmlRefusal(400, 'ValidationError', `Stack with id ${name} does not exist`);
      return xml(operation, `<Stacks><member>${stackXml(name, stack)}</member></Stacks>`);
    },
  };
}

function stackXml(name: string, { status, outputs = {} }: StubStack): string {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${escapeXml(value)}</OutputValue></member>`,
  );
  return `<StackName>${name}</StackName><StackStatus>${status}</StackStatus><CreationTime>2026-11-05T12:00:00.000Z</CreationTime><Outputs>${members.join('')}</Outputs>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A stub of STS that tells the identity of the caller. */
export function sts(): AwsService {
  return {
    name: 'sts',
    operationOf: (call) => actionOf(call, '2011-06-15'),
    refuse: xmlRefusal,
    answer(operation, { region }) {
      if (operation !== 'GetCallerIdentity' || region !== REGION)
        return xmlRefusal(400, 'InvalidAction', operation);
      const arn = `arn:aws:iam::${ACCOUNT}:user/deployer`;
      return xml(operation, `<Arn>${arn}</Arn><UserId>U</UserId><Account>${ACCOUNT}</Account>`);
    },
  };
}

/** A stub of Lambda that tells how many concurrent executions the account may have. */
export function lambdaAccount(concurrentExecutions: number): AwsService {
  return {
    name: 'lambda',
    operationOf: ({ method, path }) =>
      method === 'GET' && path === '/2016-08-19/account-settings'
        ? 'GetAccountSettings'
        : jsonRefusal(404, 'UnknownOperationException', path),
    refuse: jsonRefusal,
    answer: (operation, { region }) =>
      region === REGION
        ? json(200, { AccountLimit: { ConcurrentExecutions: concurrentExecutions } })
        : jsonRefusal(400, 'InvalidAction', operation),
  };
}

/** A stub of CloudFront that has KeyValueStores with these names. */
export function cloudFrontStores(names: readonly string[] = []): AwsService {
  return {
    name: 'cloudfront',
    operationOf: ({ method, path }) =>
      method === 'GET' && path === '/2020-05-31/key-value-store'
        ? 'ListKeyValueStores'
        : xmlRefusal(404, 'UnknownOperation', path),
    refuse: xmlRefusal,
    answer: () => ({
      status: 200,
      body: `<KeyValueStoreList><MaxItems>100</MaxItems><Quantity>${names.length}</Quantity><Items>${names
        .map((name) => `<KeyValueStore><Name>${name}</Name></KeyValueStore>`)
        .join('')}</Items></KeyValueStoreList>`,
    }),
  };
}
