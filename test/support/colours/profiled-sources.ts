import sharp, { type Sharp } from 'sharp';
import { iccProfile, jpegWithProfile, webpWithProfile } from '../icc.ts';
import { SQUARE } from '../png.ts';
import { COLOURS, type ColouredSource, colouredPng } from './coloured-source.ts';
import { ADOBE_RGB, DISPLAY_P3, FAULTY_PROFILES, GREY, LINEAR, PROFILES, TRUNCATED } from './profiles.ts';

const BEST = { quality: 100, chromaSubsampling: '4:4:4' } as const;

function jpeg(what: string, pixels: () => Sharp, profile?: Buffer): ColouredSource {
  const make = async () => {
    const file = await pixels().jpeg(BEST).toBuffer();
    return profile ? jpegWithProfile(file, profile) : file;
  };
  return { name: `JPEG ${what}`, contentType: 'image/jpeg', make };
}

function webp(what: string, profile: Buffer): ColouredSource {
  const size = { width: SQUARE * COLOURS.length, height: SQUARE };
  const make = async () => webpWithProfile(await rgb().webp({ lossless: true }).toBuffer(), size, profile);
  return { name: `WebP ${what}`, contentType: 'image/webp', make };
}

const rgb = () => sharp(colouredPng());
const grey = () => rgb().toColourspace('b-w');
const cmyk = () => rgb().toColourspace('cmyk');

/** JPEG and WebP whose colours an ICC profile says, or should say. */
export const PROFILED_SOURCES: readonly ColouredSource[] = [
  ...Object.entries(PROFILES).map(([name, profile]) => jpeg(`with a profile of ${name}`, rgb, profile)),
  ...Object.entries(FAULTY_PROFILES).map(([name, profile]) =>
    jpeg(`whose profile has ${name}`, rgb, profile),
  ),
  jpeg('with a profile of grey', rgb, GREY),
  jpeg('of grey', grey),
  jpeg('of grey with its profile', grey, GREY),
  jpeg('of grey with a profile of RGB', grey, LINEAR),
  jpeg('of grey whose profile is truncated', grey, iccProfile({ space: 'GRAY', gamma: 1, extraBytes: 1000 })),
  jpeg('of CMYK', cmyk),
  jpeg('of CMYK with its profile', () => cmyk().withIccProfile('cmyk')),
  jpeg('of CMYK with a profile of RGB', cmyk, LINEAR),
  webp('with a profile of Display P3', DISPLAY_P3),
  webp('with a profile of Adobe RGB', ADOBE_RGB),
  webp('with a profile of grey', GREY),
  webp('whose profile is truncated', TRUNCATED),
];
