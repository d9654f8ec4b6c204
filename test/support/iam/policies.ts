import type { Template } from 'aws-cdk-lib/assertions';
import { withoutHash } from '../infra/resources.ts';

export interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: string | string[];
}

export interface PolicyDocument {
  Version: string;
  Statement: Statement[];
}

/** What CloudFormation puts for `Ref` and `Fn::GetAtt`: by logical id without CDK's hash, and for an attribute with `.Name` after it. */
export type DeployedNames = Readonly<Record<string, string>>;

/**
 * Returns a value of a template as it is once it has been deployed.
 *
 * @throws Error when a name is not known
 */
export function deployed(value: unknown, names: DeployedNames): unknown {
  if (Array.isArray(value)) return value.map((one) => deployed(one, names));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof ref === 'string') return nameOf(withoutHash(ref), names);
  if (Array.isArray(attribute)) return nameOf(`${withoutHash(attribute[0])}.${attribute[1]}`, names);
  if (Array.isArray(join)) return (deployed(join[1], names) as unknown[]).join(join[0]);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, deployed(one, names)]));
}

function nameOf(id: string, names: DeployedNames): string {
  const name = names[id];
  if (name === undefined) throw new Error(`what is ${id} once it is deployed?`);
  return name;
}

/** Returns the policy whose logical id begins with this, such as `WorkerRole`, as it is once it has been deployed. */
export function deployedPolicy(template: Template, id: string, names: DeployedNames): PolicyDocument {
  const policies = {
    ...template.findResources('AWS::IAM::Policy'),
    ...template.findResources('AWS::IAM::ManagedPolicy'),
  };
  const [found, ...more] = Object.entries(policies).filter(([logicalId]) => logicalId.startsWith(id));
  if (found === undefined || more.length > 0) throw new Error(`expected one policy ${id}`);
  return deployed(found[1]['Properties'].PolicyDocument, names) as PolicyDocument;
}
