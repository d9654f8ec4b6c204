import { createECDH, createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { CREDENTIALS } from '../command.ts';

const { AWS_ACCESS_KEY_ID: ID, AWS_SECRET_ACCESS_KEY: SECRET } = CREDENTIALS;
const SIGV4 =
  /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/([a-z0-9-]+)\/([a-z-]+)\/aws4_request, SignedHeaders=[a-z0-9;-]*\bhost\b[a-z0-9;-]*, Signature=[0-9a-f]{64}$/;
const SIGV4A =
  /^AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE\/(\d{8}\/([a-z-]+)\/aws4_request), SignedHeaders=([a-z0-9;-]*\bhost\b[a-z0-9;-]*), Signature=([0-9a-f]+)$/;

export interface AwsRequest {
  method: string;
  /** As sent. */
  path: string;
  query: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** For which service and region a request is signed; `undefined` where it is not, or not as AWS wants it. */
export function signedFor(request: AwsRequest): { service: string; region: string } | undefined {
  const authorization = request.headers['authorization'] ?? '';
  if (!/^\d{8}T\d{6}Z$/.test(request.headers['x-amz-date'] ?? '')) return undefined;
  const [, region, service] = SIGV4.exec(authorization) ?? [];
  if (service !== undefined && region !== undefined) return { service, region };
  const [, scope, globalService, names, signature] = SIGV4A.exec(authorization) ?? [];
  if (scope === undefined || globalService === undefined || names === undefined) return undefined;
  const isRight = verify(
    'sha256',
    Buffer.from(textToSign(request, scope, names)),
    publicKey(),
    Buffer.from(signature ?? '', 'hex'),
  );
  return isRight ? { service: globalService, region: request.headers['x-amz-region-set'] ?? '' } : undefined;
}

/** As the documentation of Signature Version 4A says: a canonical request, its hash, and what it is for. */
function textToSign(
  { method, path, query, headers, body }: AwsRequest,
  scope: string,
  names: string,
): string {
  const canonical = [
    method,
    // Every service but S3 encodes the path twice.
    path.split('/').map(encodeURIComponent).join('/'),
    query,
    ...names.split(';').map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  return ['AWS4-ECDSA-P256-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
}

/** The curve's order, less 2. */
const LARGEST = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254fn;

/** The public half of what the secret key is stretched into (NIST SP 800-108, counter mode). */
function publicKey() {
  for (let counter = 1; ; counter++) {
    const fixed = `\0\0\0\x01AWS4-ECDSA-P256-SHA256\0${ID}${String.fromCharCode(counter)}\0\0\x01\0`;
    const candidate = createHmac('sha256', `AWS4A${SECRET}`).update(fixed, 'latin1').digest('hex');
    if (BigInt(`0x${candidate}`) > LARGEST) continue;
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey((BigInt(`0x${candidate}`) + 1n).toString(16).padStart(64, '0'), 'hex');
    const point = ecdh.getPublicKey();
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' } });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
