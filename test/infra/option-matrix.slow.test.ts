import { expect, it } from 'vitest';
import { OPTION_NAMES } from '../../infra/options.ts';
import { CDN_REGION } from '../../infra/regions.ts';
import { lintTemplate } from '../support/infra/lint-template.ts';
import { MATRIX_OPTIONS, optionMatrix } from '../support/infra/option-matrix.ts';
import { faultsOf, synthesise, synthesiseViewerAlarms } from '../support/infra/synthesise.ts';

/** Access logs can be had in all of these. */
const REGIONS = ['us-east-1', 'eu-north-1', 'ap-south-1', 'sa-east-1', 'us-west-2', 'ap-northeast-1'];

it.each(optionMatrix(REGIONS))(
  'the stack synthesises with any two options together, and is clean by the schemas of $region',
  ({ region, options }) => {
    expect(faultsOf(options, region)).toEqual([]);
    expect(lintTemplate(synthesise(options, { region }), region)).toEqual([]);
  },
);

it('the stack of the alarms on what viewers get is clean by the schemas', () => {
  const viewerAlarmTopicArn = 'arn:aws:sns:us-east-1:123456789012:on-call';
  for (const options of [{}, { viewerAlarmTopicArn }])
    expect(lintTemplate(synthesiseViewerAlarms(options), CDN_REGION)).toEqual([]);
});

it('the matrix of options has all of them', () => {
  expect(MATRIX_OPTIONS.toSorted()).toEqual(OPTION_NAMES.toSorted());
});

it.each(OPTION_NAMES)(
  'a value that %s cannot have is refused with a message that names the option',
  (option) => {
    for (const value of ['', 'ü "\\', {}])
      expect(faultsOf({ [option]: value }), JSON.stringify(value)).toContainEqual(
        expect.stringMatching(new RegExp(`^([A-Za-z]+, )*${option}(, [A-Za-z]+)*: .{10}`)),
      );
  },
);

it.each<[string, string, (properties: Record<string, unknown>) => void, RegExp]>([
  [
    'a property that does not exist',
    'AWS::SQS::Queue',
    (queue) => Object.assign(queue, { Colour: 'red' }),
    /Colour/,
  ],
  [
    'a value of another type',
    'AWS::Lambda::Function',
    (fn) => Object.assign(fn, { Timeout: 'long' }),
    /'long' is not of type 'integer'/,
  ],
  [
    'a value that is none of those that it may have',
    'AWS::Lambda::Function',
    (fn) => Object.assign(fn, { PackageType: 'Tar' }),
    /'Tar' is not one of/,
  ],
  [
    'a number out of bounds',
    'AWS::SQS::Queue',
    (queue) => Object.assign(queue, { VisibilityTimeout: 43_201 }),
    /43201/,
  ],
  [
    'a property that is required, left out',
    'AWS::CloudFront::Distribution',
    (distribution) => delete distribution['DistributionConfig'],
    /'DistributionConfig' is a required property/,
  ],
])('the schemas find %s', (_, type, spoil, said) => {
  const template = structuredClone(synthesise({}, { region: 'us-east-1' }).toJSON());
  for (const { Type, Properties } of Object.values<{ Type: string; Properties: Record<string, unknown> }>(
    template['Resources'],
  ))
    if (Type === type) spoil(Properties);
  expect(lintTemplate(template, 'us-east-1')).toContainEqual(expect.stringMatching(said));
});
