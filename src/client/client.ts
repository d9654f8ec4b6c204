// What `edgepress-client` exports, and `edgepress/client`. It is bundled into one file; see `scripts/build-client.ts`.

export type { Format, Tier } from '../protocol/request.ts';
export type { SigningKey } from '../protocol/signature.ts';
export { type ComponentOptions, nextImageLoader, nuxtImageProvider, unpicTransformer } from './frameworks.ts';
export { type ImageUrlParts, InvalidImageUrl, imageUrl } from './image-url.ts';
export { type Picture, type PictureParts, picture } from './picture.ts';
export { type ReadUnitOptions, readUnit, type Unit, type UnitImage, type UnitUrls } from './read-unit.ts';
export { type SrcsetParts, srcset } from './srcset.ts';
