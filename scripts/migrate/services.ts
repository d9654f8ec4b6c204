import { readAwsSamplesUrl } from './aws-samples.ts';
import { readImgproxyUrl } from './imgproxy.ts';
import { readIpxUrl } from './ipx.ts';
import { readNextImageUrl } from './next-image.ts';
import type { ReadOldImage } from './old-image.ts';
import { readThumborUrl } from './thumbor.ts';

/** The services whose URLs are read, by their names on the command line. */
export const READERS = {
  imgproxy: readImgproxyUrl,
  thumbor: readThumborUrl,
  'next-image': readNextImageUrl,
  ipx: readIpxUrl,
  'aws-samples': readAwsSamplesUrl,
} satisfies Record<string, ReadOldImage>;

export type Service = keyof typeof READERS;
