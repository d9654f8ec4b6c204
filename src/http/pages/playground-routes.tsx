/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { Context } from 'hono';
import { imageUrl } from '../../client/image-url.ts';
import { IMAGE_TYPES, sniffImageType } from '../../decode/image-type.ts';
import {
  type PlaygroundForm,
  PlaygroundPage,
  type Sample,
  type SampleLink,
} from '../../pages/playground.tsx';
import { EdgepressError } from '../../protocol/error.ts';
import { rungFor } from '../../protocol/negotiation.ts';
import { TIERS } from '../../protocol/request.ts';
import type { FetchOriginal } from '../../services.ts';
import { type App, type AppEnvironment, parametersIn } from '../http-request.ts';
import { PRIVATE_HEADERS, refuseMethod } from '../responses.ts';
import { viewerSignalOf } from '../viewer-signal.ts';
import type { PageAccess } from './page-access.ts';
import { sendPage } from './page-response.ts';
import { isDisplayable, type TryOptions, tryImage } from './try-image.ts';

export interface PlaygroundOptions extends TryOptions {
  fetchOriginal: FetchOriginal;
  /** The first one is shown until another image is asked for. */
  samples: readonly Sample[];
}

const DEFAULT_UNIT = 'playground';
const SAMPLE_WIDTH = 720;
const THUMBNAIL_WIDTH = 160;

/** Adds the playground at `/`, and the originals that it shows. */
export function addPlayground(app: App, access: PageAccess, options: PlaygroundOptions): void {
  const { siteFor, guardPlayground } = access;
  const { ladder, fetchOriginal } = options;
  const samples = options.samples.map((sample) => linkTo(sample, options));

  app.get('/', guardPlayground, async (c) => {
    const form = readForm(queryParameters(c), options);
    const viewer = () => viewerSignalOf(c.req.raw);
    const result = form.src === '' ? {} : await tryImage(options, form, viewer);
    const { tried, problem } = { tried: undefined, problem: undefined, ...result };
    const props = { widths: ladder.widths, samples, form, tried, problem };
    return await sendPage(c, <PlaygroundPage site={await siteFor(c)} {...props} />);
  });
  app.all('/', (c) => refuseMethod(c, 'GET, HEAD'));

  app.get('/playground/original', guardPlayground, async (c) => {
    const src = queryParameters(c).get('src') ?? '';
    return sendOriginal(c, await fetchOriginal(src, viewerSignalOf(c.req.raw)));
  });
  app.all('/playground/original', (c) => refuseMethod(c, 'GET, HEAD'));
}

function queryParameters(c: Context<AppEnvironment>): URLSearchParams {
  return parametersIn(c);
}

/** Returns what a visitor asks for. What makes no sense is taken as if it was not said: the form shows what was understood. */
function readForm(query: URLSearchParams, { ladder, samples }: PlaygroundOptions): PlaygroundForm {
  const width = Number(query.get('w'));
  const src = query.get('src')?.trim() ?? samples[0]?.src ?? '';
  return {
    src,
    unit: query.get('unit')?.trim() || DEFAULT_UNIT,
    width: rungFor(width >= 1 ? width : defaultWidth(query, { ladder, samples }), ladder.widths),
    tier: TIERS.find((tier) => tier === query.get('q')) ?? 'balanced',
  };
}

/** Samples are small: at the default width nothing would be resized. */
function defaultWidth(
  query: URLSearchParams,
  { ladder, samples }: Pick<PlaygroundOptions, 'ladder' | 'samples'>,
): number {
  return samples.length > 0 && !query.has('src') ? SAMPLE_WIDTH : ladder.defaultWidth;
}

function linkTo({ title, src }: Sample, { signingKeys }: PlaygroundOptions): SampleLink {
  const parts = { baseUrl: '', unit: DEFAULT_UNIT, src, width: THUMBNAIL_WIDTH, format: 'webp' } as const;
  return {
    title,
    src,
    href: `/?src=${encodeURIComponent(src)}&w=${SAMPLE_WIDTH}`,
    thumbnail: imageUrl(parts, signingKeys[0]),
  };
}

/**
 * Sends an original as it is, so that the page needs no other host, and shows what only this service may fetch.
 *
 * @throws EdgepressError `source_not_image` for what browsers do not show: nothing else is to have this origin
 */
function sendOriginal(c: Context<AppEnvironment>, bytes: Uint8Array<ArrayBuffer>): Response {
  const type = sniffImageType(bytes);
  const contentType = type && type !== 'raw' ? IMAGE_TYPES[type].contentType : '';
  if (!isDisplayable(contentType)) {
    throw new EdgepressError('source_not_image', 'The original is of a type that browsers do not show');
  }
  c.get('trace').bytesOut = bytes.byteLength;
  return c.body(bytes, 200, {
    ...PRIVATE_HEADERS,
    'Content-Type': contentType,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'private, max-age=300',
  });
}
