import { type AwsService, actionOf, REGION, xml, xmlRefusal } from './aws.ts';

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
