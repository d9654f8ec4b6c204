/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { Tier } from '../protocol/request.ts';
import type { TriedImage } from './tried-image.ts';

/** The URL of the chosen variant, and code that shows the image. */
export function Snippets({ tried, tier }: { tried: TriedImage; tier: Tier }) {
  return (
    <section class="card stack" aria-labelledby="use">
      <h2 id="use">Use it</h2>
      <div class="stack">
        <div class="row spread">
          <h3>URL of the variant that is compared</h3>
          <button type="button" data-copy="url">
            Copy the URL
          </button>
        </div>
        <pre class="whole">
          <code id="url">{tried.url}</code>
        </pre>
        {tried.isSigned && (
          <p class="hint">
            It is signed: a service with SIGNING_KEYS answers it as it is, and refuses it with any change.
            Your server signs others with <code>imageUrl</code> of <code>edgepress-client</code>, or{' '}
            <code>npx edgepress sign</code>.
          </p>
        )}
      </div>
      <div class="row spread">
        <h3>Code for tier {tier}</h3>
        <fieldset class="pills">
          <legend class="unseen">Language</legend>
          {tried.snippets.map(({ id, title }, index) => (
            <label>
              <input type="radio" name="language" value={id} checked={index === 0} />
              <span>{title}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {tried.snippets.map(({ id, title, note, code }) => (
        <div class="stack" data-language={id}>
          <div class="row spread">
            <p class="hint">{note}</p>
            <button type="button" data-copy={`code-${id}`} aria-label={`Copy the code for ${title}`}>
              Copy
            </button>
          </div>
          <section class="scroll" tabindex={0} aria-label={`Code for ${title}`}>
            <pre>
              <code id={`code-${id}`}>{code}</code>
            </pre>
          </section>
        </div>
      ))}
    </section>
  );
}
