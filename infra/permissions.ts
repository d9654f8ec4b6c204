import { Stack } from 'aws-cdk-lib';
import { type IGrantable, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { AllowPattern } from '../src/source/allowlist.ts';
import { acknowledgeWildcard } from './acknowledge.ts';

/** Lets a function keep variants, manifests and source records, and look at purge marks. */
export function grantStore(role: IRole, bucket: IBucket): void {
  // Without it S3 says 403 for a key that is not there, which nothing can tell from a refusal.
  allow(role, ['s3:ListBucket'], [bucket.bucketArn]);
  const kept = bucket.arnForObjects('v1/*');
  const marks = bucket.arnForObjects('purged/*');
  allow(role, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [kept]);
  allow(role, ['s3:GetObject'], [marks]);
  acknowledgeWildcard(role, kept, 'All variants are below this prefix.');
  acknowledgeWildcard(role, marks, 'All purge marks are below this prefix.');
}

/** Lets a function sweep: drop marks that are too old, and note when that was. */
export function grantSweep(role: IRole, bucket: IBucket): void {
  allow(role, ['s3:DeleteObject'], [bucket.arnForObjects('purged/*')]);
  allow(role, ['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects('swept.json')]);
}

/** Lets a function read what these patterns say of the buckets that they name. */
export function grantSources(role: IRole, patterns: readonly AllowPattern[]): void {
  const { partition } = Stack.of(role);
  for (const { scheme, host, path } of patterns) {
    if (scheme !== 's3:' || host.kind !== 'exactly') continue;
    const bucket = `arn:${partition}:s3:::${host.host}`;
    const objects = `${bucket}/${keysOf(path)}`;
    allow(role, ['s3:GetObject'], [objects]);
    // For a missing original to be told as one, and not as a refusal.
    allow(role, ['s3:ListBucket'], [bucket]);
    acknowledgeWildcard(role, objects, 'It is what SOURCE_ALLOW says, literally.');
  }
}

export function allow(grantee: IGrantable, actions: string[], resources: string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
}

/** The pieces between the stars of a path as IAM has to see them, to which `?` and `$` mean something, too. */
function keysOf(path: readonly string[] | undefined): string {
  if (path === undefined) return '*';
  return path
    .join('*')
    .slice(1)
    .replace(/[?$]/g, (character) => `\${${character}}`);
}
