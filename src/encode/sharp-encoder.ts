import PQueue from 'p-queue';
import sharp, { type Sharp } from 'sharp';
import type { Format, Tier } from '../variant/request.ts';
import { corrupt, DECODE_TIMEOUT_SECONDS, endless } from './decode-failure.ts';
import type { EncodedImage, EncodeRequest, Encoder } from './encoder.ts';
import { decodeHevc } from './hevc.ts';
import { CONTENT_TYPES } from './image-type.ts';
import { type InspectedSource, inspectSource } from './inspect.ts';
import { AVIF_CHROMA, type Encoding, FAST_QUALITY } from './quality.ts';
import { wrapInTiff } from './tiff.ts';

export interface SharpEncoderOptions {
  /** Encodes at once. */
  concurrency: number;
  /** The most pixels that a source may have, all frames together. */
  maxPixels: number;
}

/** The most that each encoding can measure in either direction, in pixels. */
const MAX_SIDE: Readonly<Record<Encoding, number>> = {
  avif: 16_384,
  webp: 16_383,
  jpeg: 65_500,
  gif: 65_535,
};

/** Sources that may take more memory than this to decode are taken one at a time: half a dozen at once would end the process. */
const GIANT_BYTES = 300_000_000;

// One thread an image and as many images as cores is what gets most of them done; see `scripts/bench/throughput.ts`.
sharp.concurrency(1);
// Sources differ, so that libvips' cache of operations would only hold memory.
sharp.cache(false);
// What is refused by its first bytes is not even looked at by a decoder.
sharp.block({ operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf', 'VipsForeignLoadMagick'] });

/** Encodes with sharp. Sources that sharp cannot decode but phones write (HEVC) go through libheif first. */
export function createSharpEncoder({ concurrency, maxPixels }: SharpEncoderOptions): Encoder {
  const encodes = new PQueue({ concurrency });
  const giants = new PQueue({ concurrency: 1 });

  return {
    async encode(bytes, request) {
      const source = await inspectSource(bytes, maxPixels);
      const work = () => encodes.add(() => encodeOne(bytes, source, request, maxPixels));
      return source.decodeBytes > GIANT_BYTES ? giants.add(work) : work();
    },
  };
}

async function encodeOne(
  bytes: Uint8Array,
  source: InspectedSource,
  request: EncodeRequest,
  maxPixels: number,
): Promise<EncodedImage> {
  const encoding = encodingFor(request.format, source.frames);
  const decoded = await decode(bytes, source, maxPixels);
  const size = { width: request.width, height: MAX_SIDE[encoding] };
  const resized = decoded.resize({ ...size, fit: 'inside', withoutEnlargement: true });
  const { data, info } = await into(encoding, resized, request.tier)
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: Error) => {
      throw cause.message.startsWith('timeout') ? endless(source.type, cause) : corrupt(source.type, cause);
    });
  return {
    body: data as Uint8Array<ArrayBuffer>,
    contentType: CONTENT_TYPES[encoding],
    width: info.width,
    height: info.pageHeight ?? info.height,
    effort: 'fast',
    source: source.facts,
  };
}

/** An animation stays one: WebP where the client takes it, else GIF. */
function encodingFor(format: Format, frames: number): Encoding {
  if (frames === 1) return format;
  return format === 'jpeg' ? 'gif' : 'webp';
}

/** The source as upright pixels. Colours become sRGB and metadata goes when it is encoded. */
async function decode(bytes: Uint8Array, source: InspectedSource, maxPixels: number): Promise<Sharp> {
  const limits = { limitInputPixels: maxPixels, failOn: 'warning' } as const;
  if (source.type !== 'hevc') {
    const frames = source.frames > 1 ? { animated: true } : { page: source.page };
    return sharp(bytes, { ...limits, ...frames }).autoOrient();
  }
  const { data, width, height, hasAlpha } = await decodeHevc(bytes);
  const pixels = source.iccProfile
    ? sharp(wrapInTiff({ data, width, height }, source.iccProfile), limits)
    : sharp(data, { ...limits, raw: { width, height, channels: 4 } });
  return hasAlpha ? pixels : pixels.removeAlpha();
}

function into(encoding: Encoding, image: Sharp, tier: Tier): Sharp {
  switch (encoding) {
    case 'avif':
      return image.avif({
        quality: FAST_QUALITY.avif[tier],
        effort: 0,
        chromaSubsampling: AVIF_CHROMA[tier],
      });
    case 'webp':
      return image.webp({ quality: FAST_QUALITY.webp[tier], effort: 4 });
    case 'jpeg':
      return image
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: FAST_QUALITY.jpeg[tier], mozjpeg: true });
    case 'gif':
      // The same bytes as sharp's own effort of 7, in half the time: a long animation takes tens of seconds.
      return image.gif({ effort: 3 });
  }
}
