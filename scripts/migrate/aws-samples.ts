import { z } from 'zod';
import {
  decodeBase64Url,
  decodePercent,
  NotTranslatable,
  numberOf,
  type OldImage,
  splitUrl,
} from './old-image.ts';
import { readThumborPath } from './thumbor.ts';

const THUMBOR_OPTIONS = /^(?:(?:adaptive-|full-)*fit-in|filters:|\d*x\d*\/|trim)/;
const OPERATIONS = /^(?<path>.+)\/(?<list>(?:format|width|height|quality)=[^/]*|original)$/;

/**
 * Reads a URL of the image services of aws-samples and AWS Solutions:
 * - image-optimization: `/{path}?format=auto&width=300`, also as its edge function rewrites it (`/{path}/format=webp,width=300`);
 * - Dynamic Image Transformation (Serverless Image Handler): `/{base64 of JSON with bucket, key and edits}`, or like thumbor's without a signature.
 */
export function readAwsSamplesUrl(url: string): OldImage {
  const { path, query } = splitUrl(url);
  const rest = path.slice(1);
  const request = readJson(decodeBase64Url(rest));
  if (request) return readImageRequest(request);
  if (THUMBOR_OPTIONS.test(rest)) return readThumborPath(rest);
  const { path: image = rest, list = '' } = OPERATIONS.exec(rest)?.groups ?? {};
  const options = new URLSearchParams(list && list !== 'original' ? list.replaceAll(',', '&') : query);
  if (image === '') throw new NotTranslatable('it has no path');
  const { width, height, quality, format, ...others } = Object.fromEntries(options);
  return {
    ...{ src: decodePercent(image), format },
    ...{ width: numberOf(width), height: numberOf(height), quality: numberOf(quality) },
    unsupported: Object.entries(others).map(([name, value]) => `${name}=${value}`),
  };
}

const imageRequest = z.object({
  bucket: z.string().min(1),
  key: z.string().min(1),
  edits: z.record(z.string(), z.unknown()).default({}),
  outputFormat: z.string().optional(),
});
const size = z
  .object({ width: z.number().nullish(), height: z.number().nullish(), fit: z.string().optional() })
  .catchall(z.unknown());
const encoding = z.object({ quality: z.number().optional() }).catchall(z.unknown());
const ENCODINGS = ['avif', 'webp', 'jpeg', 'jpg', 'png'];
/** Ways to resize that cut nothing off and distort nothing. */
const WHOLE = ['inside', 'outside', undefined];

function readJson(text = ''): z.infer<typeof imageRequest> | undefined {
  try {
    return imageRequest.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function readImageRequest({ bucket, key, edits, outputFormat }: z.infer<typeof imageRequest>): OldImage {
  const { resize, toFormat, rotate: _always, ...others } = edits;
  const { width, height, fit, ...more } = size.safeParse(resize).data ?? {};
  const format = outputFormat ?? (typeof toFormat === 'string' ? toFormat : undefined);
  const isCut = width && height && !WHOLE.includes(fit);
  return {
    src: `s3://${bucket}/${key}`,
    ...{ width: width ?? 0, height: height ?? 0, format },
    quality: encoding.safeParse(others[format ?? '']).data?.quality,
    unsupported: [
      ...(isCut ? [`resize.fit ${fit}`] : []),
      ...Object.keys(more).map((name) => `resize.${name}`),
      ...Object.keys(others).filter((name) => !ENCODINGS.includes(name)),
    ],
  };
}
