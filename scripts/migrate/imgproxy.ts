import {
  decodeBase64Url,
  decodePercent,
  NotTranslatable,
  numberOf,
  type OldImage,
  splitUrl,
} from './old-image.ts';

/** The long names of options, by their short ones. */
const LONG_NAMES: Record<string, string> = {
  ...{ rs: 'resize', s: 'size', rt: 'resizing_type', w: 'width', h: 'height', el: 'enlarge', ex: 'extend' },
  ...{ q: 'quality', fq: 'format_quality', f: 'format', ext: 'format', exp: 'expires', g: 'gravity' },
  ...{ ar: 'auto_rotate', sm: 'strip_metadata', scp: 'strip_color_profile', kcr: 'keep_copyright' },
  ...{ fn: 'filename', att: 'return_attachment' },
};
/** What edgepress does always, or what changes no pixel without cropping. */
const WITHOUT_LOSS = new Set([
  ...['auto_rotate', 'strip_metadata', 'strip_color_profile', 'keep_copyright'],
  ...['filename', 'return_attachment', 'gravity'],
]);
const CROPPING = new Set(['fill', 'fill-down', 'force', 'auto']);

type Draft = OldImage & { unsupported: string[]; qualities: Record<string, number> };

/** Reads a URL of imgproxy: `/{signature}/{options}/plain/{source}@{format}`, or with the source in base64url. */
export function readImgproxyUrl(url: string): OldImage {
  const { path } = splitUrl(url);
  const segments = path.split('/').slice(2);
  const sourceAt = segments.findIndex(isSource);
  const options = sourceAt < 0 ? segments : segments.slice(0, sourceAt);
  const draft: Draft = { src: '', unsupported: [], qualities: {} };
  for (const option of options) readOption(draft, option);
  const { src, format } = readSource(segments.slice(options.length));
  const { qualities, ...image } = { ...draft, src, format: format ?? draft.format };
  return { ...image, quality: image.quality || qualities[image.format ?? ''] };
}

/** Options have arguments after colons. */
function isSource(segment: string): boolean {
  return !segment.includes(':');
}

function readSource(segments: readonly string[]): { src: string; format: string | undefined } {
  const [kind = '', ...rest] = segments;
  if (kind === 'enc') throw new NotTranslatable('its source is encrypted: translate the URL of the source');
  if (kind === '') throw new NotTranslatable('it has no source');
  if (kind === 'plain') {
    const [, src = '', format] = /^(.*?)(?:@([a-z0-9]*))?$/.exec(rest.join('/')) ?? [];
    return { src: decodePercent(src), format: format || undefined };
  }
  const [encoded = '', format] = segments.join('').split('.');
  const src = decodeBase64Url(encoded);
  if (src === undefined)
    throw new NotTranslatable(`its source \`${encoded}\` is neither \`plain/…\` nor base64 of a URL`);
  return { src, format };
}

/** What options say, by their long names, from their arguments. */
const READERS: Record<string, (draft: Draft, ...values: (string | undefined)[]) => void> = {
  resize(draft, type, ...size) {
    setResizingType(draft, type);
    setSize(draft, ...size);
  },
  size: setSize,
  resizing_type: setResizingType,
  width(draft, width) {
    draft.width = numberOf(width);
  },
  height(draft, height) {
    draft.height = numberOf(height);
  },
  dpr(draft, ratio) {
    draft.pixelRatio = numberOf(ratio) || 1;
  },
  quality(draft, quality) {
    draft.quality = numberOf(quality);
  },
  format_quality(draft, ...pairs) {
    for (let at = 0; at < pairs.length; at += 2) draft.qualities[pairs[at] ?? ''] = numberOf(pairs[at + 1]);
  },
  format(draft, format) {
    draft.format = format;
  },
  expires(draft, seconds) {
    draft.expiresAt = numberOf(seconds);
  },
};

function readOption(draft: Draft, option: string): void {
  const [short = '', ...values] = option.split(':');
  const name = LONG_NAMES[short] ?? short;
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (read) read(draft, ...values);
  else if (!WITHOUT_LOSS.has(name) && !isOff(name, values[0])) draft.unsupported.push(option);
}

function setResizingType(draft: Draft, type: string | undefined): void {
  if (type && CROPPING.has(type)) draft.unsupported.push(`resizing type ${type}`);
}

function setSize(draft: Draft, ...[width, height, enlarge, extend]: (string | undefined)[]): void {
  draft.width = numberOf(width);
  draft.height = numberOf(height);
  if (!isOff('enlarge', enlarge)) draft.unsupported.push('enlarge');
  if (!isOff('extend', extend)) draft.unsupported.push('extend');
}

function isOff(name: string, value: string | undefined): boolean {
  return (name === 'enlarge' || name === 'extend') && ['0', 'f', 'false', ''].includes(value ?? '');
}
