import { counted, formatCount } from '../command/amounts.ts';

/** What is meant to be prewarmed, or asked for the first time. */
export interface Load {
  unitsPerHour: number;
  /** Of each unit. */
  images: number;
  /** For which a Lambda is busy with one image. */
  ms: number;
}

/** How many images are in work at once: as many as arrive in the time that one takes (Little's law). */
export function atOnce(load: Load): number {
  return Math.ceil((imagesPerSecond(load) * load.ms) / 1000);
}

export function describeLoad(load: Load): string {
  const { unitsPerHour, images, ms } = load;
  const rate = formatCount(Math.ceil(imagesPerSecond(load)));
  return `${counted(unitsPerHour, 'unit')} an hour × ${counted(images, 'image')} = ${rate} images a second of ${formatCount(ms)} ms: ${formatCount(atOnce(load))} at once`;
}

function imagesPerSecond({ unitsPerHour, images }: Load): number {
  return (unitsPerHour * images) / 3600;
}
