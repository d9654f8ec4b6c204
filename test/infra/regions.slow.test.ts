import { RegionInfo } from 'aws-cdk-lib/region-info';
import { expect, it } from 'vitest';
import { nearestShieldRegion, regionFault, SHIELD_REGIONS } from '../../infra/regions.ts';
import { lintTemplate } from '../support/infra/lint-template.ts';
import { ALL_OPTIONS, faultsOf, synthesise } from '../support/infra/synthesise.ts';

/** The schemas of these are those of all regions together: nothing is known of them. */
const WITHOUT_SCHEMAS = ['me-west-1'];
/** The schemas have function URLs there, the documentation of Lambda has none. */
const DISPUTED = ['eu-south-2'];
const PUBLIC = RegionInfo.regions
  .filter(({ partition }) => partition === 'aws')
  .map(({ name }) => name)
  .filter((name) => !WITHOUT_SCHEMAS.includes(name));

it('the stack is refused in just those regions whose schemas of CloudFormation lack something that it needs', () => {
  const errorsIn = (region: string) => lintTemplate(synthesise(ALL_OPTIONS), region);
  const lacking = PUBLIC.filter((region) => errorsIn(region).length > 0);
  expect(PUBLIC.filter((region) => regionFault(region) !== undefined)).toEqual(
    [...lacking, ...DISPUTED].toSorted(),
  );
  expect(lacking.flatMap(errorsIn).filter((text) => !text.includes('AWS::Lambda::Url'))).toEqual([]);
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
