/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { ImageStatus } from '../unit/status.ts';
import type { WatchedStatus, WatchedUnit } from '../unit/watch.ts';
import { formatBytes, formatCount, formatSaving } from './figures.tsx';
import { Page, type Site } from './page.tsx';
import { SentReport, type SentUnits } from './sent-units.tsx';
import { largestOf, localUrl, mostBytesOf, nameOf, shorten, smallestOf } from './unit-images.ts';
import { countsOf, reasonFor, wordsFor } from './unit-words.ts';
import { UnitLink } from './units.tsx';

export interface WatchPageProps {
  site: Site;
  units: readonly WatchedUnit[];
  /** The path and query that shows this again, and whose events tell of changes. */
  target: string;
  /** Whether the page also says how many units are on the queue. */
  withQueue: boolean;
  /** Absent: nothing was sent, and the page was opened again. */
  sent?: SentUnits | undefined;
}

/** Shows how units become ready: as it is now, and then live by the script. */
export function WatchPage({ site, units, target, withQueue, sent }: WatchPageProps) {
  const isDone = !withQueue && units.every(({ status }) => status?.hasEnded !== false);
  return (
    <Page title="Watch units" site={site} current="/units" scripts={['units', 'zoom']}>
      <p>
        <a href="/units">All units</a>
      </p>
      <h1>{sent ? 'Units that were sent' : 'Watch units'}</h1>
      {sent && <SentReport sent={sent} shown={units.length} />}
      <section class="stack" data-watch={isDone ? undefined : target} data-target={target}>
        <div class="card">
          <WatchTotals units={units.map(sumOf)} />
          {withQueue && <p id="waiting" hidden />}
          <p class="hint" data-live hidden>
            Live: this page changes by itself.
          </p>
          <noscript>
            <p class="hint">
              <a href={target}>Look again</a>: without a script, this page does not change by itself.
            </p>
          </noscript>
        </div>
        <ul class="plain stack">
          {units.map((unit) => (
            <WatchedRow unit={unit} />
          ))}
        </ul>
      </section>
    </Page>
  );
}

/** What the sum of followed units needs of one: of ten thousand images, nothing else is kept. */
export interface WatchedSum {
  isDone: boolean;
  totals: WatchedStatus['totals'] | undefined;
  /** The most bytes that a device may load of its images. */
  mostBytes: number;
}

/** Returns what the sum of followed units needs of this one. */
export function sumOf({ status }: WatchedUnit): WatchedSum {
  const isDone = status?.hasEnded !== false;
  return { isDone, totals: status?.totals, mostBytes: mostBytesOf(status?.images ?? []) };
}

/** Sums up units that are followed. */
export function WatchTotals({ units }: { units: readonly WatchedSum[] }) {
  const done = units.filter(({ isDone }) => isDone).length;
  const totals = { ready: 0, broken: 0, pending: 0 };
  let [before, after] = [0, 0];
  for (const { totals: one, mostBytes } of units) {
    for (const state of ['ready', 'broken', 'pending'] as const) totals[state] += one?.[state] ?? 0;
    before += one?.sourceBytes ?? 0;
    after += mostBytes;
  }
  const saving = formatSaving(before, after);
  return (
    <p id="totals" role="status">
      <strong>
        {done} of {formatCount(units.length, 'unit')} done.
      </strong>{' '}
      {countsOf({ ...totals, sourceBytes: before, bytes: after })}.
      {saving !== undefined &&
        ` ${formatBytes(before)} before, ${formatBytes(after)} at most now: ${saving} less.`}
    </p>
  );
}

/** Says how many units are on the queue. */
export function WaitingUnits({ count }: { count: number }) {
  return (
    <p id="waiting">
      {count === 0
        ? 'No unit waits any more.'
        : `About ${formatCount(count, 'unit')} in all wait or are being made, those of others too.`}
    </p>
  );
}

/** The most images of a unit that are shown in its row: its page has all of them. */
const MAX_THUMBNAILS = 12;
const MAX_REASONS = 5;

/** One unit that is followed. It is sent again whenever something of it changes. */
export function WatchedRow({ unit: { id, status } }: { unit: WatchedUnit }) {
  return (
    <li id={`watched-${id}`} class="card stack">
      {status ? (
        <Progress status={status} />
      ) : (
        <p class="wrap">
          <strong>{id}</strong>: there is no such unit now. It was purged, or never sent.
        </p>
      )}
    </li>
  );
}

function Progress({ status }: { status: WatchedStatus }) {
  const { id, images, totals, hasEnded } = status;
  const { name, tone } = wordsFor(status);
  const broken = images.flatMap((image, index) =>
    image.state === 'broken' ? [{ image, position: index + 1 }] : [],
  );
  return (
    <>
      <div class="row spread">
        <h2 class="wrap">
          <UnitLink id={id} />
        </h2>
        <span class={`badge ${tone}`}>{name}</span>
      </div>
      {!hasEnded && (
        <progress
          value={totals.ready + totals.broken}
          max={images.length}
          aria-label={`Images of ${id} that are done`}
        />
      )}
      <p>{countsOf(totals)}</p>
      <Thumbnails images={images} />
      {broken.length > 0 && (
        <ul class="reasons">
          {broken.slice(0, MAX_REASONS).map(({ image, position }) => (
            <li class="wrap">
              <strong>{nameOf(image, position)}:</strong> {reasonFor(image.code)}{' '}
              <span class="muted">{shorten(image.detail, 200)}</span>
            </li>
          ))}
          {broken.length > MAX_REASONS && <li>And {broken.length - MAX_REASONS} more broken images.</li>}
        </ul>
      )}
    </>
  );
}

function Thumbnails({ images }: { images: readonly ImageStatus[] }) {
  const shown = images.flatMap((image, index) =>
    image.state === 'ready' ? [{ image, label: nameOf(image, index + 1) }] : [],
  );
  if (shown.length === 0) return null;
  return (
    <ul class="thumbnails">
      {shown.slice(0, MAX_THUMBNAILS).map(({ image, label }) => (
        <li>
          <Thumbnail image={image} label={label} />
        </li>
      ))}
      {shown.length > MAX_THUMBNAILS && <li>and {shown.length - MAX_THUMBNAILS} more</li>}
    </ul>
  );
}

/** The smallest variant of an image, which opens the largest one. */
export function Thumbnail({
  image,
  label,
}: {
  image: Extract<ImageStatus, { state: 'ready' }>;
  label: string;
}) {
  const [smallest, largest] = [smallestOf(image), largestOf(image)];
  if (!smallest || !largest) return null;
  return (
    <a class="thumbnail" href={localUrl(largest.url)} data-zoom={label}>
      <img src={localUrl(smallest.url)} alt={label} loading="lazy" />
    </a>
  );
}
