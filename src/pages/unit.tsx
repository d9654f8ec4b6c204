/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { ImageStatus } from '../unit/status.ts';
import type { UnsentUnit } from '../unit/unsent.ts';
import type { WatchedStatus } from '../unit/watch.ts';
import { formatBytes, formatCount, formatSaving } from './figures.tsx';
import { ImageCard } from './image-card.tsx';
import { Page, type Site } from './page.tsx';
import { mostBytesOf } from './unit-images.ts';
import { countsOf, wordsFor } from './unit-words.ts';
import { LookUp } from './units.tsx';

/** Which images of a unit are shown. */
export type ImageFilter = 'all' | 'broken' | 'pending';

export interface UnitPageProps {
  site: Site;
  status: WatchedStatus;
  show: ImageFilter;
  /** How many of these images are left out before the first one that is shown. */
  from: number;
  nowMs: number;
}

/** So many images of usual URLs fit into 60 kB. */
export const IMAGES_PER_PAGE = 25;

/** One unit: each of its images, and what can be done with it. */
export function UnitPage({ site, status, show, from, nowMs }: UnitPageProps) {
  const { id, images, totals, hasEnded } = status;
  const { name, tone } = wordsFor(status);
  const numbered = images.map((image, index) => ({ image, position: index + 1 }));
  const chosen = show === 'all' ? numbered : numbered.filter(({ image }) => image.state === show);
  return (
    <Page title={`Unit ${id}`} site={site} current="/units" scripts={['zoom']}>
      <p>
        <a href="/units">All units</a>
      </p>
      <div class="row">
        <h1 class="wrap">Unit {id}</h1>
        <span class={`badge ${tone}`}>{name}</span>
      </div>
      <div class="card stack">
        <p>
          <strong>{countsOf(totals)}.</strong> <Saving images={images} sourceBytes={totals.sourceBytes} />
        </p>
        {!hasEnded && totals.pending > 0 && (
          <p>
            <a href={`/units?watch=${id}`}>Watch it become ready</a>
          </p>
        )}
        <Actions id={id} broken={totals.broken} />
      </div>
      <Filter id={id} show={show} totals={totals} />
      <ul class="plain stack">
        {chosen.slice(from, from + IMAGES_PER_PAGE).map(({ image, position }) => (
          <ImageCard image={image} position={position} nowMs={nowMs} />
        ))}
      </ul>
      {chosen.length === 0 && <p>There are no images in this state.</p>}
      <Paging id={id} show={show} from={from} count={chosen.length} />
    </Page>
  );
}

function Saving({ images, sourceBytes }: { images: readonly ImageStatus[]; sourceBytes: number }) {
  const after = mostBytesOf(images);
  const saving = formatSaving(sourceBytes, after);
  if (saving === undefined) return null;
  return (
    <>
      {formatBytes(sourceBytes)} before, {formatBytes(after)} at most now: {saving} less.
    </>
  );
}

function Actions({ id, broken }: { id: string; broken: number }) {
  return (
    <div class="row">
      <form method="post" action={`/units/${id}/warm`}>
        <button type="submit">{broken > 0 ? 'Try broken images again' : 'Make what is missing'}</button>
      </form>
      <a class="button" href={`/units/${id}/purge`}>
        Purge …
      </a>
    </div>
  );
}

const FILTERS = { all: 'All', broken: 'Broken', pending: 'Waiting' } as const;

function Filter({ id, show, totals }: { id: string; show: ImageFilter; totals: WatchedStatus['totals'] }) {
  const counts = { ...totals, all: totals.ready + totals.broken + totals.pending };
  return (
    <nav aria-label="Images" class="tabs">
      {(['all', 'broken', 'pending'] as const).map((each) => (
        <a href={targetOf(id, each, 0)} aria-current={each === show ? 'page' : undefined}>
          {FILTERS[each]} ({counts[each]})
        </a>
      ))}
    </nav>
  );
}

function Paging({ id, show, from, count }: { id: string; show: ImageFilter; from: number; count: number }) {
  if (count <= IMAGES_PER_PAGE && from === 0) return null;
  const next = from + IMAGES_PER_PAGE;
  return (
    <nav aria-label="Pages of images" class="row">
      {from > 0 && <a href={targetOf(id, show, Math.max(0, from - IMAGES_PER_PAGE))}>Before</a>}
      <span>
        {Math.min(from + 1, count)} to {Math.min(next, count)} of {formatCount(count, 'image')}
      </span>
      {next < count && <a href={targetOf(id, show, next)}>Next</a>}
    </nav>
  );
}

function targetOf(id: string, show: ImageFilter, from: number): string {
  const query = [show !== 'all' && `show=${show}`, from > 0 && `from=${from}`].filter(Boolean).join('&');
  return `/units/${id}${query && `?${query}`}`;
}

export interface NoUnitPageProps {
  site: Site;
  id: string;
  /** What there is of it all the same: viewers asked for its images. */
  unsent: UnsentUnit | undefined;
}

/** Says what to do when there is no such unit. */
export function NoUnitPage({ site, id, unsent }: NoUnitPageProps) {
  return (
    <Page title="No such unit" site={site} current="/units">
      <h1 class="wrap">There is no unit {id}</h1>
      <p>It was never sent, or it was purged since. Ids are exact: upper and lower case differ.</p>
      {unsent && (
        <div class="card stack">
          <p>
            Viewers have asked for {formatCount(unsent.images.length, 'image')} with this unit in the URL all
            the same: {countsOf(unsent.totals)}, {formatBytes(unsent.totals.bytes)} in the store.
          </p>
          <p>
            <a class="button" href={`/units/${id}/purge`}>
              Purge …
            </a>
          </p>
        </div>
      )}
      <LookUp id={id} />
      <p>
        <a href="/units">All units, and the form to send some</a>
      </p>
    </Page>
  );
}
