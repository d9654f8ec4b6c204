import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Records why a rule of cdk-nag's AwsSolutions pack does not apply to a construct and its children.
 *
 * @param rule - the rule's id without its prefix, such as `S1`
 */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/**
 * Records why a policy of a construct needs a wildcard in a resource (rule IAM5).
 *
 * @param resource - the ARN as it stands in the policy
 */
export function acknowledgeWildcard(construct: IConstruct, resource: string, reason: string): void {
  acknowledge(construct, `IAM5[Resource::${formatArn(Stack.of(construct).resolve(resource))}]`, reason);
}

/**
 * Formats a resolved ARN as cdk-nag does in its findings: `<Bucket.Arn>` for what CloudFormation fills in.
 *
 * @throws TypeError for an intrinsic function other than Fn::Join, Fn::GetAtt and Ref
 */
function formatArn(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved.replaceAll('${', '<').replaceAll('}', '>');
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref: ref } = resolved as Record<string, unknown[]>;
  if (join) return (join[1] as unknown[]).map(formatArn).join(String(join[0]));
  if (attribute) return `<${attribute.join('.')}>`;
  if (ref) return `<${ref}>`;
  throw new TypeError(`an ARN in a form that formatArn does not know: ${JSON.stringify(resolved)}`);
}
