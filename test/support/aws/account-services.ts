import { type AwsService, actionOf, json, jsonRefusal, REGION, targetOf, xml, xmlRefusal } from './aws.ts';

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

/** A stub of Service Quotas with Lambda's quota of concurrent executions: the applied value, if it was ever changed, and the default. */
export function serviceQuotas(applied: number | undefined, byDefault = 1000): AwsService {
  return {
    name: 'servicequotas',
    operationOf: (call) => targetOf(call, 'ServiceQuotasV20190624'),
    refuse: jsonRefusal,
    answer(operation, { body, region }) {
      const { ServiceCode, QuotaCode } = JSON.parse(body) as Record<string, string>;
      if (ServiceCode !== 'lambda' || QuotaCode !== 'L-B99A9384' || region !== REGION)
        return jsonRefusal(400, 'IllegalArgumentException', body);
      const Value = operation === 'GetServiceQuota' ? applied : byDefault;
      if (Value === undefined) return jsonRefusal(400, 'NoSuchResourceException', 'never applied for');
      return json(200, { Quota: { ServiceCode, QuotaCode, QuotaName: 'Concurrent executions', Value } });
    },
  };
}
