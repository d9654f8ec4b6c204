import { Stack } from 'aws-cdk-lib';
import { type IGrantable, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Config } from '../src/config.ts';
import {
  EVENT_PREFIX,
  LAST_ATTEMPT_PREFIX,
  LEASE_PREFIX,
  PACK_PREFIX,
  STATE_PREFIX,
  SUBMISSION_PREFIX,
  SWEEP_PROGRESS_KEY,
  TOMBSTONE_PREFIX,
  VARIANT_PREFIX,
} from '../src/protocol/keys.ts';
import type { AllowPattern } from '../src/source/allowlist.ts';
import type { SourceHeaders } from '../src/source/source-headers.ts';
import { acknowledgeWildcard } from './cdk-nag.ts';

/** Adds a statement to the policy of a role. */
export function allow(grantee: IGrantable, actions: string[], resources: string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
}

/** Lets a function store, replace and delete variants, manifests and source records, remove the marks of units, and read tombstones. */
export function grantStore(role: IRole, bucket: IBucket): void {
  // Without it S3 answers 403 for a missing key, which cannot be told from a refusal.
  allow(role, ['s3:ListBucket'], [bucket.bucketArn]);
  // S3 requires GetObject also for a conditional put or delete with an ETag.
  const units = bucket.arnForObjects(`${VARIANT_PREFIX}/*`);
  const tombstones = bucket.arnForObjects(`${TOMBSTONE_PREFIX}/*`);
  const states = bucket.arnForObjects(`${STATE_PREFIX}/*`);
  allow(role, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [units]);
  allow(role, ['s3:GetObject', 's3:DeleteObject'], [states]);
  allow(role, ['s3:GetObject'], [tombstones]);
  acknowledgeWildcard(role, units, 'All variants are below this prefix.');
  acknowledgeWildcard(role, tombstones, 'All tombstones are below this prefix.');
  acknowledgeWildcard(role, states, 'The marks of all units are below this prefix.');
}

/**
 * Lets a function work on units and sweep, in addition to `grantStore`: mark units, read and remove packs of manifests, delete expired tombstones, store
 * the time of the last sweep, take up submissions and last attempts that were cut off, and lease slots of hosts.
 */
export function grantSweep(role: IRole, bucket: IBucket): void {
  allow(role, ['s3:PutObject'], [bucket.arnForObjects(`${STATE_PREFIX}/*`)]);
  allow(role, ['s3:DeleteObject'], [bucket.arnForObjects(`${TOMBSTONE_PREFIX}/*`)]);
  allow(role, ['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects(SWEEP_PROGRESS_KEY)]);
  const submissions = bucket.arnForObjects(`${SUBMISSION_PREFIX}/*`);
  allow(role, ['s3:GetObject', 's3:DeleteObject'], [submissions]);
  acknowledgeWildcard(role, submissions, 'All notes of submissions are below this prefix.');
  const attempts = bucket.arnForObjects(`${LAST_ATTEMPT_PREFIX}/*`);
  allow(role, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [attempts]);
  acknowledgeWildcard(role, attempts, 'All notes of last attempts are below this prefix.');
  const packs = bucket.arnForObjects(`${PACK_PREFIX}/*`);
  allow(role, ['s3:GetObject', 's3:DeleteObject'], [packs]);
  acknowledgeWildcard(role, packs, 'All packs of manifests are below this prefix.');
  const leases = bucket.arnForObjects(`${LEASE_PREFIX}/*`);
  allow(role, ['s3:GetObject', 's3:PutObject'], [leases]);
  acknowledgeWildcard(role, leases, 'All leases of hosts are below this prefix.');
}

/** Lets a function read the objects that the `s3` patterns of the allowlist match, and nothing else of those buckets. */
export function grantSources(role: IRole, patterns: readonly AllowPattern[]): void {
  const { partition } = Stack.of(role);
  for (const { scheme, host, path } of patterns) {
    if (scheme !== 's3:' || host.kind !== 'exact') continue;
    const bucket = `arn:${partition}:s3:::${host.host}`;
    const objects = `${bucket}/${keyPattern(path)}`;
    allow(role, ['s3:GetObject'], [objects]);
    // So that S3 answers 404 for a missing original, and not 403.
    allow(role, ['s3:ListBucket'], [bucket]);
    acknowledgeWildcard(role, objects, 'The pattern is the one in SOURCE_ALLOW, unchanged.');
  }
}

/** Lets a function read the objects below the prefixes of `INGEST_FROM`, and submit their units. */
export function grantIngest(role: IRole, store: IBucket, { ingestFrom }: Pick<Config, 'ingestFrom'>): void {
  for (const { bucket, prefix } of ingestFrom) {
    const arn = `arn:${Stack.of(role).partition}:s3:::${bucket}`;
    const objects = `${arn}/${prefix}*`;
    allow(role, ['s3:GetObject'], [objects]);
    // So that S3 answers 404 for an object that was deleted meanwhile, and not 403.
    allow(role, ['s3:ListBucket'], [arn]);
    acknowledgeWildcard(role, objects, 'The prefix is the one in INGEST_FROM, unchanged.');
  }
  if (ingestFrom.length === 0) return;
  const submitted = [PACK_PREFIX, SUBMISSION_PREFIX].map((prefix) => store.arnForObjects(`${prefix}/*`));
  allow(role, ['s3:PutObject'], submitted);
}

/** Lets a function read the headers of private sources, if they are in a secret. */
export function grantSourceHeaders(role: IRole, headers: SourceHeaders | undefined): void {
  if (headers?.kind === 'secret') allow(role, ['secretsmanager:GetSecretValue'], [headers.arn]);
}

/** Lets a function send events to the targets of `NOTIFY`, and keep those that cannot be sent for a while. */
export function grantNotify(
  role: IRole,
  bucket: IBucket,
  { notify, notifySecret }: Pick<Config, 'notify' | 'notifySecret'>,
): void {
  if (notify.length === 0) return;
  const events = bucket.arnForObjects(`${EVENT_PREFIX}/*`);
  allow(role, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [events]);
  acknowledgeWildcard(role, events, 'All events that wait are below this prefix.');
  for (const target of notify) {
    if (target.kind === 'sns') allow(role, ['sns:Publish'], [target.topicArn]);
    if (target.kind === 'eventbridge') allow(role, ['events:PutEvents'], [busArn(role, target.bus)]);
  }
  if (notifySecret?.kind === 'secret') allow(role, ['secretsmanager:GetSecretValue'], [notifySecret.arn]);
}

/** @param bus - a name, or an ARN */
function busArn(role: IRole, bus: string): string {
  if (bus.startsWith('arn:')) return bus;
  return Stack.of(role).formatArn({ service: 'events', resource: 'event-bus', resourceName: bus });
}

/** Returns the path of an allowlist pattern as IAM reads it: `?` and `$` are special there, too, and are escaped. */
function keyPattern(path: readonly string[] | undefined): string {
  if (path === undefined) return '*';
  return path
    .join('*')
    .slice(1)
    .replace(/[?$]/g, (character) => `\${${character}}`);
}
