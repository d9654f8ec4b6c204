/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { BrokenStatus, ImageStatus, ReadyStatus, StoredVariant } from '../unit/status.ts';
import { formatBytes, formatSaving, Time } from './figures.tsx';
import { localUrl, mostBytes, nameOf, shorten } from './unit-images.ts';
import { reasonFor } from './unit-words.ts';
import { Thumbnail } from './watch-units.tsx';

/** An image of a unit: its state, and its variants or why there are none. */
export function ImageCard({
  image,
  position,
  nowMs,
}: {
  image: ImageStatus;
  position: number;
  nowMs: number;
}) {
  const label = nameOf(image, position);
  return (
    <li class="card image">
      {image.state === 'ready' ? <Thumbnail image={image} label={label} /> : <span class="thumbnail" />}
      <div class="stack">
        <div class="row">
          <h2 class="wrap">{label}</h2>
          <span class={`badge ${TONES[image.state]}`}>{NAMES[image.state]}</span>
        </div>
        <Source src={image.src} />
        {image.state === 'ready' && <Ready image={image} />}
        {image.state === 'broken' && <Broken image={image} nowMs={nowMs} />}
      </div>
    </li>
  );
}

const TONES = { ready: 'good', broken: 'bad', pending: 'waiting' } as const;
const NAMES = { ready: 'Ready', broken: 'Broken', pending: 'Waiting' } as const;
/** Longer URLs are cut off, where they are only read. */
const SHOWN_URL = 200;

/** A link only where a browser can follow it, and never to a script. */
function Source({ src }: { src: string }) {
  const text = shorten(src, SHOWN_URL) || '(empty)';
  return (
    <p class="wrap hint">
      {/^https?:\/\//i.test(src) ? (
        <a href={src} rel="noreferrer">
          {text}
        </a>
      ) : (
        text
      )}
    </p>
  );
}

function Ready({ image }: { image: ReadyStatus }) {
  const after = mostBytes(image);
  const saving = formatSaving(image.sourceBytes, after);
  return (
    <>
      <p>
        {formatBytes(image.sourceBytes)} before, {formatBytes(after)} at most now
        {saving !== undefined && `: ${saving} less`}.
      </p>
      <ul class="variants">
        {image.variants.map((variant) => (
          <li>
            <VariantLink variant={variant} />
          </li>
        ))}
      </ul>
    </>
  );
}

function VariantLink({ variant }: { variant: StoredVariant }) {
  const { url, width, tier, format, type, bytes, overBudget } = variant;
  const encoding = type.replace('image/', '');
  return (
    <>
      <a href={localUrl(url)}>
        {width} px, {tier}, {format}
      </a>
      {encoding !== format && ` (as ${encoding})`}: {formatBytes(bytes)}
      {overBudget && ', more than its budget'}
    </>
  );
}

function Broken({ image, nowMs }: { image: BrokenStatus; nowMs: number }) {
  const { code, detail, since, retryable, nextAttempt } = image;
  const isLeftAlone = Date.parse(nextAttempt) > nowMs;
  return (
    <>
      <p>{reasonFor(code)}</p>
      <p class="hint wrap">
        <code>{code}</code> {shorten(detail, 500)}
      </p>
      <p class="hint">
        Broken since <Time iso={since} nowMs={nowMs} />.{' '}
        {isLeftAlone && (
          <>
            Not tried again before <Time iso={nextAttempt} nowMs={nowMs} />, unless you say so.{' '}
            {!retryable && 'Until the image is changed, it will fail again.'}
          </>
        )}
        {!isLeftAlone && retryable && 'The next request tries it again.'}
      </p>
    </>
  );
}
