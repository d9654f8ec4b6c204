/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { PurgeResult } from '../purge/purge.ts';
import { formatBytes, formatCount } from './figures.tsx';
import { Page, type Site } from './page.tsx';

export interface PurgeUnitPageProps {
  site: Site;
  id: string;
  /** What would be deleted. */
  objects: number;
  bytes: number;
  /** Of the unit as it was sent; `undefined`: it was not. */
  images: number | undefined;
  /** Whether a CDN is told. */
  hasCdn: boolean;
}

/** Asks whether to purge a unit, and names what that deletes. */
export function PurgeUnitPage({ site, id, objects, bytes, images, hasCdn }: PurgeUnitPageProps) {
  return (
    <Page title={`Purge unit ${id}`} site={site} current="/units">
      <p>
        <a href={`/units/${id}`}>Back to the unit</a>
      </p>
      <h1 class="wrap">Purge unit {id}?</h1>
      <form method="post" action={`/units/${id}/purge`} class="card stack">
        <p>This deletes from the store, and cannot be undone:</p>
        <ul>
          <li>
            <strong>
              {formatCount(objects, 'object')}, {formatBytes(bytes)}
            </strong>
            : all variants
            {images !== undefined && ` of ${formatCount(images, 'image')}`}, the list of its images, and what
            is known of broken ones
          </li>
        </ul>
        <p>
          {hasCdn
            ? 'The CDN is told to drop its copies.'
            : 'No CDN is configured, so no cache in front of this service is told.'}{' '}
          Originals are not touched, and devices keep what they have loaded for as long as they may.
        </p>
        <div class="row">
          <button type="submit" name="afterwards" value="nothing" class="danger">
            Delete
          </button>
          {images !== undefined && (
            <button type="submit" name="afterwards" value="warm" class="danger">
              Delete, and make it anew
            </button>
          )}
          <a class="button" href={`/units/${id}`}>
            Cancel
          </a>
        </div>
      </form>
    </Page>
  );
}

export interface PurgedUnitPageProps {
  site: Site;
  id: string;
  purge: PurgeResult;
  /** Whether the unit was sent again afterwards. */
  isWarming: boolean;
}

/** Says what a purge has deleted, and who was told. */
export function PurgedUnitPage({ site, id, purge, isWarming }: PurgedUnitPageProps) {
  const { units, invalidations } = purge;
  const objects = units.reduce((sum, unit) => sum + unit.objects, 0);
  const bytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
  return (
    <Page title={`Unit ${id} is purged`} site={site} current="/units">
      <h1 class="wrap">Unit {id} is purged</h1>
      <div class="card stack">
        <p>
          Deleted from the store: {formatCount(objects, 'object')}, {formatBytes(bytes)}.
        </p>
        {invalidations.map((invalidation) => (
          <p class="wrap">
            Told {invalidation.cdn ?? 'the CDN'} to drop its copies: <code>{invalidation.id}</code>. That
            takes from seconds to minutes.
          </p>
        ))}
        {invalidations.length === 0 && (
          <p class="wrap">
            No CDN is configured, so no cache was told. If there is one in front of this service, have it drop
            what has the cache tag{' '}
            {units.map(({ cacheTag }) => (
              <code>{cacheTag}</code>
            ))}
            .
          </p>
        )}
        <p class="hint">Devices keep what they have loaded for as long as its Cache-Control allows.</p>
      </div>
      <p>
        {isWarming ? (
          <a href={`/units?watch=${id}`}>Watch it being made anew</a>
        ) : (
          <a href="/units">All units</a>
        )}
      </p>
    </Page>
  );
}
