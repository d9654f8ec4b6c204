import type { Sharp } from 'sharp';
import type { Format } from '../../../src/protocol/request.ts';

/** The encoder settings of another service, from its documentation. */
export interface Peer {
  name: string;
  format: Format;
  encode(image: Sharp): Sharp;
}

export const PEERS: readonly Peer[] = [
  // PIL in a Lambda function: baseline, 4:2:0, the standard's Huffman tables.
  {
    name: '2017 service',
    format: 'jpeg',
    encode: (image) => image.jpeg({ quality: 90, optimiseCoding: false, chromaSubsampling: '4:2:0' }),
  },
  { name: 'aws-samples', format: 'jpeg', encode: (image) => image.jpeg({ quality: 80 }) },
  { name: 'aws-samples', format: 'webp', encode: (image) => image.webp({ quality: 80 }) },
  { name: 'imgproxy', format: 'jpeg', encode: (image) => image.jpeg({ quality: 80 }) },
  { name: 'imgproxy', format: 'webp', encode: (image) => image.webp({ quality: 79 }) },
  {
    name: 'imgproxy',
    format: 'avif',
    encode: (image) => image.avif({ quality: 63, effort: 1, chromaSubsampling: '4:2:0' }),
  },
  { name: 'Next.js', format: 'jpeg', encode: (image) => image.jpeg({ quality: 75, mozjpeg: true }) },
  { name: 'Next.js', format: 'webp', encode: (image) => image.webp({ quality: 75 }) },
  {
    name: 'Next.js',
    format: 'avif',
    encode: (image) => image.avif({ quality: 55, effort: 3, chromaSubsampling: '4:2:0' }),
  },
  { name: 'sharp', format: 'jpeg', encode: (image) => image.jpeg() },
  { name: 'sharp', format: 'webp', encode: (image) => image.webp() },
  { name: 'sharp', format: 'avif', encode: (image) => image.avif() },
];
