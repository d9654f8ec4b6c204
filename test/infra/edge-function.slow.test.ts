import { describe, expect, it } from 'vitest';
import { onlyResource } from '../support/infra/resources.ts';
import { synthesise } from '../support/infra/synthesise.ts';

const template = synthesise();

describe('the edge function', () => {
  it('runs on each request of a viewer', () => {
    const [edgeId] = Object.keys(template.findResources('AWS::CloudFront::Function'));
    const distribution = onlyResource(template, 'AWS::CloudFront::Distribution')['DistributionConfig'];
    expect(distribution).toMatchObject({
      DefaultCacheBehavior: {
        FunctionAssociations: [
          { EventType: 'viewer-request', FunctionARN: { 'Fn::GetAtt': [edgeId, 'FunctionARN'] } },
        ],
      },
    });
  });

  it('reads its keys from a key value store, which is created empty', () => {
    const [storeId] = Object.keys(template.findResources('AWS::CloudFront::KeyValueStore'));
    expect(onlyResource(template, 'AWS::CloudFront::KeyValueStore')['ImportSource']).toBeUndefined();
    expect(onlyResource(template, 'AWS::CloudFront::Function')).toMatchObject({
      AutoPublish: true,
      FunctionConfig: {
        Runtime: 'cloudfront-js-2.0',
        KeyValueStoreAssociations: [{ KeyValueStoreARN: { 'Fn::GetAtt': [storeId, 'Arn'] } }],
      },
    });
  });

  it('has the width ladder of the options', () => {
    const narrow = synthesise({ widths: [317, 641] });
    expect(onlyResource(narrow, 'AWS::CloudFront::Function')['FunctionCode']).toMatch(/317\s*,\s*641/);
  });
});

describe('the signing keys', () => {
  it('are nowhere in the template', () => {
    const secret = onlyResource(template, 'AWS::SecretsManager::Secret');
    expect(Object.keys(secret)).toEqual(['Description']);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/SIGNING_KEYS|SecretString|ADMIN_TOKEN/);
  });
});
