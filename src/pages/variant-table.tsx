/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { OriginalFacts, TriedVariant } from './tried-image.ts';

/** What links are reckoned with, in bits a second. */
const SLOW_BITS = 400_000;
const BITS_3G = 1_600_000;
/** Of a prepaid card; an assumption. */
const DOLLARS_PER_MB = 0.01;

/** Every tier and format of one width: bytes, times and money. `playground.browser.mjs` asks for them and fills the cells. */
export function VariantTable({
  variants,
  source,
}: {
  variants: readonly TriedVariant[];
  source: OriginalFacts;
}) {
  return (
    <section class="card stack" aria-labelledby="variants">
      <div class="row spread">
        <h2 id="variants">Every tier and format</h2>
        <p id="progress" class="hint" role="status" />
      </div>
      <section class="scroll" tabindex={0} aria-label="Table of the variants">
        <table id="table" data-bytes={source.bytes} data-width={source.width} data-height={source.height}>
          <thead>
            <tr>
              <th scope="col">Compare</th>
              <th scope="col" class="number">
                Bytes
              </th>
              <th scope="col" class="number">
                Of the original
              </th>
              <th scope="col" class="number" data-bits={SLOW_BITS}>
                At 400 kbit/s
              </th>
              <th scope="col" class="number" data-bits={BITS_3G}>
                At 1.6 Mbit/s (3G)
              </th>
              <th scope="col" class="number">
                1,000 views
              </th>
              <th scope="col">Milliseconds it took</th>
            </tr>
          </thead>
          <tbody>
            <tr id="original-row">
              <th scope="row">
                Original{' '}
                <span class="muted">
                  {source.type.replace(/^image\//, '')}, {source.width}×{source.height}
                </span>
              </th>
              <Cells />
            </tr>
            {variants.map((variant) => (
              <VariantRow variant={variant} />
            ))}
          </tbody>
        </table>
      </section>
      <div class="row">
        <label for="price">Price of mobile data, $ per MB</label>
        <input id="price" type="number" min="0" step="any" value={DOLLARS_PER_MB} />
      </div>
      <p class="hint">
        kB and MB are 1,000 and 1,000,000 bytes. Times on the line are those of the bytes alone, at the full
        rate. The price is an assumption: change it. Milliseconds are those of <code>Server-Timing</code>,
        waiting for a free core included. What is made here is of effort <code>fast</code>, as for a first
        request; prewarm takes longer and makes smaller ones.
      </p>
      <noscript>
        <p class="error">Without scripts only the comparison is shown: open the variants by their URLs.</p>
      </noscript>
    </section>
  );
}

function VariantRow({ variant: { tier, format, path, url, made } }: { variant: TriedVariant }) {
  return (
    <tr
      data-path={path}
      data-url={url}
      data-label={`${format} ${tier}`}
      data-made={made && JSON.stringify(made)}
    >
      <th scope="row">
        <label>
          <input type="radio" name="shown" checked={made !== undefined} /> {tier} <b>{format}</b>{' '}
          <span class="muted" data-cell="type" />
        </label>
      </th>
      <Cells />
    </tr>
  );
}

function Cells() {
  return (
    <>
      <td class="number" data-cell="bytes" />
      <td class="number" data-cell="percent" />
      <td class="number" data-cell="slow" />
      <td class="number" data-cell="3g" />
      <td class="number" data-cell="price" />
      <td data-cell="time" />
    </>
  );
}
