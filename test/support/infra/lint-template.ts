import { createRequire } from 'node:module';
import type { Template } from 'aws-cdk-lib/assertions';

/** A finding of the linter. */
interface Finding {
  /** `E…` and `F…` are errors, `W…` warnings, such as a value that is none of those that the schema lists; `I…` is for information. */
  ruleId: string;
  message: string;
  entity?: { logicalId?: string; resourceType?: string };
}

/** What aws-cdk-lib validates templates with: the schemas of CloudFormation's registry, of each region. */
interface Validation {
  SchemaValidator: new () => { validate(template: unknown, region: string): Finding[] };
  TemplateContent: new (text: string) => unknown;
}

// A module of aws-cdk-lib's own, found from there.
const loadFromCdk = createRequire(import.meta.resolve('aws-cdk-lib'));
const { SchemaValidator, TemplateContent }: Validation = loadFromCdk('@aws/cloudformation-validate');
let validator: InstanceType<Validation['SchemaValidator']> | undefined;

/** Returns what the schemas of a region say against a template: the rule, the type of the resource, and what is wrong with it. */
export function lintTemplate(template: Template | object, region: string): string[] {
  validator ??= new SchemaValidator();
  const findings = validator.validate(new TemplateContent(JSON.stringify(template)), region);
  return findings
    .filter(({ ruleId }) => !ruleId.startsWith('I'))
    .map(({ ruleId, message, entity }) => `${ruleId} ${entity?.resourceType}: ${message}`);
}
