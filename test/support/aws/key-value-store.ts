import { ACCOUNT } from './account-services.ts';
import { type AwsAnswer, type AwsCall, type AwsService, json } from './aws.ts';

export const KEY_VALUE_STORE_ARN = `arn:aws:cloudfront::${ACCOUNT}:key-value-store/a1b2c3d4`;

export interface KeyValueStoreStub extends AwsService {
  /** The value that the edge reads. */
  current(): string | undefined;
  /** Writes a value as somebody else. */
  overwrite(text: string): void;
  /** How many reads after each write still return the value before. */
  lag: number;
}

/** A stub of a CloudFront KeyValueStore with the item `signing-keys` and conditional writes. */
export function keyValueStore(text?: string): KeyValueStoreStub {
  let [value, before] = [text, text];
  let [version, stale] = [1, 0];
  const etag = () => `ETAG${version}`;
  const overwrite = (next: string) => {
    [before, value] = [value, next];
    version++;
  };

  function put({ headers, body }: AwsCall): AwsAnswer {
    const { Value } = JSON.parse(body) as { Value?: unknown };
    if (typeof Value !== 'string') return refuse(400, 'ValidationException', 'no value');
    if (Buffer.byteLength(Value) > 1024) return refuse(400, 'ValidationException', 'the value is too large');
    if (headers['if-match'] !== etag()) return refuse(400, 'ValidationException', 'Pre-Condition failed');
    overwrite(Value);
    stale = stub.lag;
    return {
      status: 200,
      headers: { etag: etag() },
      body: JSON.stringify({ ItemCount: 1, TotalSizeInBytes: 1 }),
    };
  }

  function get(): AwsAnswer {
    const found = stale-- > 0 ? before : value;
    return found === undefined
      ? refuse(404, 'ResourceNotFoundException', 'Key was not found in KeyValueStore')
      : json(200, { Key: 'signing-keys', Value: found, ItemCount: 1, TotalSizeInBytes: 1 });
  }

  const stub: KeyValueStoreStub = {
    name: 'cloudfront-keyvaluestore',
    lag: 0,
    current: () => value,
    overwrite,
    refuse,
    operationOf({ method, path, region, headers }) {
      const [, account] = /^(\d{12})\.localhost:\d+$/.exec(headers['host'] ?? '') ?? [];
      if (region !== '*' || account !== ACCOUNT)
        return refuse(403, 'AccessDeniedException', 'another partition or account');
      const base = `/key-value-stores/${encodeURIComponent(KEY_VALUE_STORE_ARN)}`;
      const operations: Record<string, string> = {
        [`GET ${base}`]: 'DescribeKeyValueStore',
        [`GET ${base}/keys/signing-keys`]: 'GetKey',
        [`PUT ${base}/keys/signing-keys`]: 'PutKey',
      };
      return operations[`${method} ${path}`] ?? refuse(404, 'ResourceNotFoundException', `${method} ${path}`);
    },
    answer(operation, call) {
      if (operation === 'GetKey') return get();
      if (operation === 'PutKey') return put(call);
      const body = {
        KvsARN: KEY_VALUE_STORE_ARN,
        ItemCount: 1,
        TotalSizeInBytes: 1,
        Status: 'READY',
        Created: 1,
      };
      return { ...json(200, body), headers: { etag: etag() } };
    },
  };
  return stub;
}

function refuse(status: number, code: string, message: string): AwsAnswer {
  return { status, headers: { 'x-amzn-errortype': code }, body: JSON.stringify({ Message: message }) };
}
