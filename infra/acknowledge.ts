import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why a rule of cdk-nag's AwsSolutions does not hold for a construct and what is below it. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** Says why a policy of a construct has this resource, in which there is a wildcard. */
export function acknowledgeWildcard(construct: IConstruct, resource: string, reason: string): void {
  acknowledge(construct, `IAM5[Resource::${flatten(Stack.of(construct).resolve(resource))}]`, reason);
}

/** Writes a resolved ARN as cdk-nag does: with `<Bucket.Arn>` for what CloudFormation fills in. */
function flatten(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved.replaceAll('${', '<').replaceAll('}', '>');
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref: ref } = resolved as Record<string, unknown[]>;
  if (join) return (join[1] as unknown[]).map(flatten).join(String(join[0]));
  if (attribute) return `<${attribute.join('.')}>`;
  if (ref) return `<${ref}>`;
  throw new TypeError(`cdk-nag writes this in a way that is not known here: ${JSON.stringify(resolved)}`);
}
