import { createRequire } from 'node:module';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { expect, it } from 'vitest';
import { nearestShieldRegion, regionFault, SHIELD_REGIONS } from '../../infra/regions.ts';
import { ALL_OPTIONS, faultsOf, synthesise } from '../support/infra/synthesise.ts';

/** What aws-cdk-lib validates templates with: CloudFormation's schemas of each region. */
interface Validation {
  SchemaValidator: new () => {
    validate(template: unknown, region: string): { ruleId: string; message: string }[];
  };
  TemplateContent: new (text: string) => unknown;
}

// A module of aws-cdk-lib's own, found from there.
const loadFromCdk = createRequire(import.meta.resolve('aws-cdk-lib'));
const { SchemaValidator, TemplateContent }: Validation = loadFromCdk('@aws/cloudformation-validate');

/** The schemas of these are those of all regions together: nothing is known of them. */
const WITHOUT_SCHEMAS = ['me-west-1'];
/** The schemas have function URLs there, the documentation of Lambda has none. */
const DISPUTED = ['eu-south-2'];
const PUBLIC = RegionInfo.regions
  .filter(({ partition }) => partition === 'aws')
  .map(({ name }) => name)
  .filter((name) => !WITHOUT_SCHEMAS.includes(name));

it('the stack is refused in just those regions whose schemas of CloudFormation lack something that it needs', () => {
  const validator = new SchemaValidator();
  const template = new TemplateContent(JSON.stringify(synthesise(ALL_OPTIONS)));
  const errorsIn = (region: string) =>
    validator.validate(template, region).filter(({ ruleId }) => /^[EF]/.test(ruleId));
  const lacking = PUBLIC.filter((region) => errorsIn(region).length > 0);
  expect(PUBLIC.filter((region) => regionFault(region) !== undefined)).toEqual(
    [...lacking, ...DISPUTED].toSorted(),
  );
  expect(lacking.flatMap(errorsIn).filter(({ message }) => !message.includes('AWS::Lambda::Url'))).toEqual(
    [],
  );
  for (const region of [...lacking, ...DISPUTED]) {
    const [, nearest = ''] = /deploy to (\S+),/.exec(regionFault(region)?.todo ?? '') ?? [];
    expect(PUBLIC).toContain(nearest);
    expect(lacking).not.toContain(nearest);
  }
  for (const region of ['cn-north-1', 'us-gov-west-1', 'eusc-de-east-1'])
    expect(regionFault(region)?.todo).toMatch(/an account of the commercial regions/);
});

it('each region that the stack can be in has one of Origin Shield', () => {
  for (const region of PUBLIC.filter((name) => regionFault(name) === undefined))
    expect(SHIELD_REGIONS, region).toContain(nearestShieldRegion(region));
  const shielded = synthesise({ originShieldRegion: 'nearest' }, { region: 'eu-north-1' });
  expect(JSON.stringify(shielded).match(/"OriginShieldRegion":"eu-west-2"/g)).toHaveLength(2);
  expect(faultsOf({ originShieldRegion: 'nearest' })).toEqual([
    expect.stringMatching(/^originShieldRegion: which is nearest to the stack is not known/),
  ]);
});
