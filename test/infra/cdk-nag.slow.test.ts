import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { ALL_OPTIONS, createStack } from '../support/infra/synthesise.ts';

describe("cdk-nag's AwsSolutions pack", () => {
  it.each([
    ['without options', {}],
    ['with every option', ALL_OPTIONS],
  ])('finds nothing in the stack that is not acknowledged, %s', (_, options) => {
    const stack = createStack(options);
    const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });

  it('finds what is wrong with a bucket that was added without a thought', () => {
    const stack = createStack();
    new Bucket(stack, 'Afterthought');
    const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual(['AwsSolutions-S1', 'AwsSolutions-S10']);
  });
});
