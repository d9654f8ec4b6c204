// The worker thread of magick.ts, which decodes one file. Plain JavaScript, since a worker loads the file as it is, without a TypeScript
// loader.
import { parentPort, workerData } from 'node:worker_threads';
import {
  ColorSpace,
  ConfigurationFiles,
  ImageMagick,
  initializeImageMagick,
  MagickReadSettings,
  ResourceLimits,
} from '@imagemagick/magick-wasm';
import { limitWasmMemory, reportFailure } from './worker-limits.mjs';

const { module, maxBytes, bytes, format, frames, orientation, tiles } = workerData;

/** Only the one format may be read: none that runs other programs, reads other files or fetches. */
const POLICY = `<policymap>
  <policy domain="delegate" rights="none" pattern="*"/>
  <policy domain="filter" rights="none" pattern="*"/>
  <policy domain="path" rights="none" pattern="@*"/>
  <policy domain="coder" rights="none" pattern="*"/>
  <policy domain="coder" rights="read" pattern="${format}"/>
</policymap>`;

async function start() {
  const grow = limitWasmMemory(maxBytes);
  const configuration = ConfigurationFiles.default;
  configuration.policy.data = POLICY;
  await initializeImageMagick(module, configuration);
  ResourceLimits.memory = BigInt(maxBytes);
  ResourceLimits.maxMemoryRequest = BigInt(maxBytes);
  ResourceLimits.area = BigInt(maxBytes);
  ResourceLimits.disk = 0n;
  return grow;
}

/** Colour spaces whose samples are given as they are, with their profile. Of L*a*b*, those of PSD are known to be relative to D50. */
const KEPT_SPACES = [
  ColorSpace.sRGB,
  ColorSpace.Gray,
  ColorSpace.CMYK,
  ...(format === 'PSD' ? [ColorSpace.Lab] : []),
];
const MODELS = { [ColorSpace.CMYK]: 'cmyk', [ColorSpace.Lab]: 'lab' };

/** Converts other colour spaces to sRGB. Returns the embedded profile of those that are kept. */
function keepOrConvert(image) {
  const isKept = KEPT_SPACES.includes(image.colorSpace);
  const profile = isKept ? image.getColorProfile()?.data : undefined;
  if (!isKept) image.colorSpace = ColorSpace.sRGB;
  // A view of all WebAssembly memory, which would be copied to the main thread.
  return profile?.slice();
}

/** Goes by the header of the file alone: ImageMagick also reads an orientation from Exif, which the pixels may not need. */
function turnUpright(image) {
  if (!orientation) return;
  image.orientation = orientation;
  image.autoOrient();
}

/** Returns the pixels of one frame. */
function pixelsOf(image, channels) {
  return image.getPixels((pixels) => pixels.toByteArray(0, 0, image.width, image.height, channels));
}

/** Returns the frames one below the other, as sharp has them. */
function decode() {
  const settings = new MagickReadSettings({ format, frameIndex: 0, frameCount: frames });
  return ImageMagick.readCollection(bytes, settings, (images) => {
    turnUpright(images[0]);
    const { width, height } = images[0];
    const hasAlpha = images.some((image) => image.hasAlpha);
    if (images.some((image) => image.width !== width || image.height !== height))
      throw new Error('frames of different sizes');
    const [iccProfile] = images.map(keepOrConvert);
    const model = MODELS[images[0].colorSpace] ?? 'rgb';
    // Of L*a*b*, the decoder calls the channels red, green and blue.
    const mapping = (model === 'cmyk' ? 'CMYK' : 'RGB') + (hasAlpha ? 'A' : '');
    const data =
      images.length === 1
        ? pixelsOf(images[0], mapping)
        : Buffer.concat(images.map((image) => pixelsOf(image, mapping)));
    return { data, width, height, channels: mapping.length, model, frames: images.length, iccProfile };
  });
}

/** Decodes each tile of a grid by itself: in a grid, a damaged one is left out. */
function checkTiles() {
  const settings = new MagickReadSettings({ format, frameIndex: 0, frameCount: 1 });
  for (const patches of tiles) {
    for (const [at, value] of patches) bytes[at] = value;
    ImageMagick.read(bytes, settings, () => undefined);
  }
  return { areWhole: true };
}

const memory = await start();
try {
  const result = tiles ? checkTiles() : decode();
  parentPort.postMessage(result, result.data ? [result.data.buffer] : []);
} catch (error) {
  reportFailure(error, memory);
}
