import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { createStack, EVERYTHING } from '../support/infra/synthesise.ts';

describe("cdk-nag's AwsSolutions", () => {
  it.each([
    ['without any option', {}],
    ['with every option', EVERYTHING],
  ])('has nothing to say that is not answered, %s', (_, options) => {
    const stack = createStack(options);
    const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });

  it('has something to say of a bucket that nobody thought about', () => {
    const stack = createStack();
    new Bucket(stack, 'Afterthought');
    const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual(['AwsSolutions-S1', 'AwsSolutions-S10']);
  });
});
