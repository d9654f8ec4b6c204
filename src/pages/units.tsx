/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { UNIT_STATES, type UnitState } from '../protocol/keys.ts';
import type { UnitPage as ListPage } from '../unit/list-units.ts';
import type { ListedUnit } from '../unit/unit-states.ts';
import { formatRelative, Time } from './figures.tsx';
import { Page, type Site } from './page.tsx';
import { SentReport, type SentUnits } from './sent-units.tsx';
import { STATE_WORDS } from './unit-words.ts';

export interface UnitsPageProps {
  site: Site;
  /** The first units of each state. */
  lists: readonly { state: UnitState; page: ListPage }[];
  maxUploadBytes: number;
  nowMs: number;
  /** What was wrong with what was asked for or sent. */
  error?: string | undefined;
  /** Of units that were sent, none of which was taken. */
  report?: SentUnits | undefined;
  /** The text that was sent, to be corrected. */
  sent?: string | undefined;
}

/** What is asked for by id or by state, and the form that sends units. */
export function UnitsPage({ site, lists, maxUploadBytes, nowMs, error, report, sent }: UnitsPageProps) {
  const isEmpty = lists.every(({ page }) => page.units.length === 0);
  return (
    <Page title="Units" site={site} current="/units" scripts={['units']}>
      <h1>Units</h1>
      <p class="muted">
        A unit is an id and its image URLs. Send units here, and their images are fetched, compressed and
        stored before anyone asks for them.
      </p>
      {error !== undefined && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {report && <SentReport sent={report} shown={0} />}
      <SendForm maxUploadBytes={maxUploadBytes} sent={sent} />
      <LookUp />
      <h2>By state</h2>
      {isEmpty && <p>There are no units yet: send some with the form above.</p>}
      <div class="unit-lists">
        {lists.map(({ state, page }) => (
          <StateCard state={state} page={page} nowMs={nowMs} />
        ))}
      </div>
    </Page>
  );
}

const EXAMPLE = '{"id": "unit-1", "images": ["https://example.com/a.jpg", "https://example.com/b.jpg"]}';

function SendForm({ maxUploadBytes, sent }: Pick<UnitsPageProps, 'maxUploadBytes' | 'sent'>) {
  return (
    <form method="post" action="/units" enctype="multipart/form-data" class="card stack" data-drop>
      <h2>Send units</h2>
      <div class="field">
        <label for="text">Paste units</label>
        <textarea
          id="text"
          name="text"
          rows={5}
          spellcheck={false}
          placeholder={EXAMPLE}
          aria-describedby="text-hint"
        >
          {sent}
        </textarea>
        <p id="text-hint" class="hint">
          One JSON object a line, a JSON array of them, or CSV with a header: <code>id,image_url</code>.
        </p>
      </div>
      <div class="field">
        <label for="file">Or choose a file, or drop one here</label>
        <input id="file" name="file" type="file" aria-describedby="file-hint" />
        <p id="file-hint" class="hint">
          The same, also compressed with gzip or zstd; up to {maxUploadBytes / 2 ** 20} MiB. For more, use{' '}
          <code>edgepress prewarm FILE</code>.
        </p>
      </div>
      <p class="row">
        <label class="choice">
          <input type="checkbox" name="retry" value="1" /> Fetch again at once what was broken before
        </label>
      </p>
      <p>
        <button type="submit">Send, and watch</button>
      </p>
    </form>
  );
}

/** The form that opens the page of a unit. */
export function LookUp({ id }: { id?: string }) {
  return (
    <form method="get" action="/units" class="card">
      <div class="field">
        <label for="id">Look up a unit</label>
        <div class="row look-up">
          <input
            id="id"
            name="id"
            value={id}
            placeholder="unit-1"
            autocapitalize="off"
            spellcheck={false}
            required
          />
          <button type="submit">Open</button>
        </div>
      </div>
    </form>
  );
}

function StateCard({ state, page, nowMs }: { state: UnitState; page: ListPage; nowMs: number }) {
  const { name, meaning, tone } = STATE_WORDS[state];
  return (
    <section class="card stack" aria-labelledby={`state-${state}`}>
      <h3 id={`state-${state}`} class={tone}>
        {name}
      </h3>
      <p class="hint">{meaning}</p>
      {page.units.length === 0 ? (
        <p>None.</p>
      ) : (
        <ul class="plain">
          {page.units.map(({ id, since }) => (
            <li class="wrap">
              <UnitLink id={id} /> <span class="hint">{formatRelative(Date.parse(since), nowMs)}</span>
            </li>
          ))}
        </ul>
      )}
      {page.next !== undefined && (
        <a href={`/units?state=${state}`} aria-label={`All units that are ${name.toLowerCase()}`}>
          All of them
        </a>
      )}
    </section>
  );
}

/** A link to the page of a unit. */
export function UnitLink({ id }: { id: string }) {
  return <a href={`/units/${id}`}>{id}</a>;
}

export interface UnitListPageProps {
  site: Site;
  state: UnitState;
  page: ListPage;
  /** How many units were asked for. */
  limit: number;
  /** Whether there is a page before this one. */
  isLater: boolean;
  nowMs: number;
}

/** A page of the units in one state. */
export function UnitListPage({ site, state, page, limit, isLater, nowMs }: UnitListPageProps) {
  const { name, meaning } = STATE_WORDS[state];
  const more =
    page.next !== undefined && `/units?state=${state}&limit=${limit}&after=${encodeURIComponent(page.next)}`;
  return (
    <Page title={`Units: ${name.toLowerCase()}`} site={site} current="/units">
      <p>
        <a href="/units">All units</a>
      </p>
      <h1>Units: {name.toLowerCase()}</h1>
      <nav aria-label="States" class="tabs">
        {UNIT_STATES.map((each) => (
          <a href={`/units?state=${each}`} aria-current={each === state ? 'page' : undefined}>
            {STATE_WORDS[each].name}
          </a>
        ))}
      </nav>
      <p class="muted">{meaning}</p>
      {page.units.length > 0 ? <UnitTable units={page.units} nowMs={nowMs} /> : <p>{emptyText(page)}</p>}
      <p class="row">
        {isLater && <a href={`/units?state=${state}&limit=${limit}`}>First page</a>}
        {more && (
          <a class="button" href={more}>
            Next page
          </a>
        )}
      </p>
    </Page>
  );
}

function emptyText({ next }: ListPage): string {
  return next === undefined
    ? 'There are no units in this state.'
    : 'There are none among those looked at so far.';
}

function UnitTable({ units, nowMs }: { units: readonly ListedUnit[]; nowMs: number }) {
  return (
    <table class="card">
      <thead>
        <tr>
          <th scope="col">Unit</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {units.map(({ id, since }) => (
          <tr>
            <td class="wrap">
              <UnitLink id={id} />
            </td>
            <td>
              <Time iso={since} nowMs={nowMs} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
