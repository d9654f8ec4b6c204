/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { TriedImage } from './tried-image.ts';

const ZOOMS = [1, 2, 4];

/** The original and a variant, one beside the other under a slider, and what was saved. `compare.browser.mjs` moves them. */
export function Comparison({ tried: { source, originalUrl, variants } }: { tried: TriedImage }) {
  const shown = variants.find(({ made }) => made) ?? variants[0];
  return (
    <section class="card stack" aria-labelledby="comparison">
      <div class="row spread">
        <h2 id="comparison">Before and after</h2>
        <fieldset class="pills">
          <legend class="unseen">Zoom</legend>
          {ZOOMS.map((zoom) => (
            <label>
              <input type="radio" name="zoom" value={zoom} checked={zoom === 1} />
              <span>{zoom}×</span>
            </label>
          ))}
        </fieldset>
      </div>
      <p class="saved" id="saved" aria-live="polite" />
      <div class="compare" id="compare">
        <section
          class="viewport"
          tabindex={0}
          aria-label="The image. Arrow keys move it, plus and minus zoom"
        >
          <div class="stage">
            <img class="variant" src={shown?.path} alt="The variant" />
            <img class="original" src={originalUrl} alt="The original" />
          </div>
        </section>
        <div class="divider" />
        <span class="side left">Original</span>
        <span class="side right" id="shown" />
      </div>
      <div class="split">
        <span aria-hidden="true">Variant</span>
        <input
          type="range"
          id="split"
          min="0"
          max="100"
          value="50"
          aria-label="How much of the original is shown, in percent"
        />
        <span aria-hidden="true">Original</span>
      </div>
      <p class="hint">
        At 1× each pixel of the variant is one of your screen, and the original is scaled to the same size.
        {source.isDisplayable
          ? ''
          : ` Browsers do not show ${source.type}: in its place you see the widest variant of tier high.`}
      </p>
      <div class="bar" aria-hidden="true">
        <div class="sent" />
        <div class="compressed" />
        <div class="resized" />
      </div>
      <ul class="plain legend">
        <li class="sent">
          <span class="swatch" /> <span>Sent</span> <b id="sent" />
        </li>
        <li class="compressed">
          <span class="swatch" /> <span>Saved by compression</span> <b id="compressed" />
        </li>
        <li class="resized">
          <span class="swatch" /> <span>Saved by resizing</span> <b id="resized" />
        </li>
      </ul>
      <p class="hint">
        <span id="sizes" /> Saved by resizing is what the original would lose if it had only the pixels of the
        variant, and as many bytes for each pixel as it has now. All else that is saved is compression.
      </p>
    </section>
  );
}
