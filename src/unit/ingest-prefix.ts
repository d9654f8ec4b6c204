/** Where objects with units may be: those of a bucket whose keys begin with a prefix. */
export interface IngestPrefix {
  bucket: string;
  /** Empty: the whole bucket. */
  prefix: string;
}

/** Without `*`, `?` and `$`, which mean more than themselves in a policy of AWS. */
const PREFIX = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([^*?$]*)$/;

/** @throws Error for another form than `s3://BUCKET/` or `s3://BUCKET/PREFIX` */
export function parseIngestPrefix(text: string): IngestPrefix {
  const [, bucket, prefix] = PREFIX.exec(text) ?? [];
  if (bucket !== undefined && prefix !== undefined) return { bucket, prefix };
  throw new Error(`has "${text}", which is not s3://BUCKET/ or s3://BUCKET/PREFIX (without *, ? and $)`);
}

/** Whether an object may be read for its units. */
export function mayIngest(
  prefixes: readonly IngestPrefix[],
  object: { bucket: string; key: string },
): boolean {
  return prefixes.some(({ bucket, prefix }) => object.bucket === bucket && object.key.startsWith(prefix));
}
