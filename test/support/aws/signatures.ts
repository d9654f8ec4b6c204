import { createECDH, createHash, createHmac, createPublicKey, verify } from 'node:crypto';

/** The environment with which AWS clients sign their requests in tests. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

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

/** The service and region for which a request is signed; `undefined` when it is not signed, or not as AWS requires. */
export function signedFor(request: AwsRequest): { service: string; region: string } | undefined {
  const authorization = request.headers['authorization'] ?? '';
  if (!/^\d{8}T\d{6}Z$/.test(request.headers['x-amz-date'] ?? '')) return undefined;
  const [, region, service] = SIGV4.exec(authorization) ?? [];
  if (service !== undefined && region !== undefined) return { service, region };
  const [, scope, globalService, names, signature] = SIGV4A.exec(authorization) ?? [];
  if (scope === undefined || globalService === undefined || names === undefined) return undefined;
  const isValid = verify(
    'sha256',
    Buffer.from(textToSign(request, scope, names)),
    publicKey(),
    Buffer.from(signature ?? '', 'hex'),
  );
  return isValid ? { service: globalService, region: request.headers['x-amz-region-set'] ?? '' } : undefined;
}

/** The string to sign of Signature Version 4A, as AWS documents it: the hash of the canonical request, and its scope. */
function textToSign(
  { method, path, query, headers, body }: AwsRequest,
  scope: string,
  names: string,
): string {
  const canonical = [
    method,
    // For every service but S3 the path is encoded twice.
    path.split('/').map(encodeURIComponent).join('/'),
    query,
    ...names.split(';').map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  return ['AWS4-ECDSA-P256-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
}

/** The largest valid candidate: the order of the curve P-256, minus 2. */
const MAX_CANDIDATE = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254fn;

/** The public key of the private key that is derived from the secret key (NIST SP 800-108, counter mode). */
function publicKey() {
  for (let counter = 1; ; counter++) {
    const fixed = `\0\0\0\x01AWS4-ECDSA-P256-SHA256\0${ID}${String.fromCharCode(counter)}\0\0\x01\0`;
    const candidate = createHmac('sha256', `AWS4A${SECRET}`).update(fixed, 'latin1').digest('hex');
    if (BigInt(`0x${candidate}`) > MAX_CANDIDATE) continue;
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
