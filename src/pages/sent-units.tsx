/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { RefusedLine } from '../unit/outcome.ts';
import { formatCount } from './figures.tsx';
import { shorten } from './unit-images.ts';

/** What became of the lines that were sent. */
export interface SentUnits {
  accepted: number;
  images: number;
  refusedCount: number;
  /** The first refused lines. */
  refused: readonly RefusedLine[];
  notes?: readonly string[];
}

/** The most refused lines and notes that are listed. */
const MAX_LISTED = 50;

/**
 * Says which of the units that were sent were taken, and which lines were refused, and why.
 *
 * @param props.shown - how many of the units the page shows
 */
export function SentReport({ sent, shown }: { sent: SentUnits; shown: number }) {
  const { accepted, images, refusedCount, refused, notes = [] } = sent;
  return (
    <div class="stack">
      <p>
        {accepted === 0
          ? 'No unit was taken.'
          : `${formatCount(accepted, 'unit')} with ${formatCount(images, 'image')} ${accepted === 1 ? 'was' : 'were'} taken.`}
        {accepted > shown && (
          <>
            {' '}
            The first {shown} are shown here; find the others{' '}
            <a href="/units?state=pending">among those that wait</a>.
          </>
        )}
      </p>
      {refusedCount > 0 && (
        <section class="error stack" aria-labelledby="refused">
          <h2 id="refused">{formatCount(refusedCount, 'line')} refused</h2>
          <p>{accepted > 0 && 'The others are not affected. '}Correct what is wrong, and send it again.</p>
          <ul>
            {refused.slice(0, MAX_LISTED).map(({ line, item, unit, detail }) => (
              <li class="wrap">
                <strong>
                  Line {line}
                  {item !== undefined && `, entry ${item}`}
                  {unit !== undefined && `, unit ${unit}`}:
                </strong>{' '}
                {shorten(detail, 300)}
              </li>
            ))}
          </ul>
          {refusedCount > MAX_LISTED && <p>And {refusedCount - MAX_LISTED} more.</p>}
        </section>
      )}
      {notes.length > 0 && (
        <ul class="hint">
          {notes.slice(0, MAX_LISTED).map((note) => (
            <li class="wrap">{shorten(note, 300)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
