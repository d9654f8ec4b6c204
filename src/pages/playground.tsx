/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { TIERS, type Tier } from '../protocol/request.ts';
import { Comparison } from './comparison.tsx';
import { Page, type Site } from './page.tsx';
import { Snippets } from './snippet-list.tsx';
import type { Advice } from './source-advice.ts';
import type { TriedImage } from './tried-image.ts';
import { VariantTable } from './variant-table.tsx';

/** An image to try. */
export interface Sample {
  title: string;
  src: string;
}

/** A sample with the URLs of its page and of a small picture of it. */
export interface SampleLink extends Sample {
  href: string;
  thumbnail: string;
}

/** What is asked for, as it was sent. */
export interface PlaygroundForm {
  src: string;
  unit: string;
  width: number;
  tier: Tier;
}

/** Why an image could not be tried. */
export interface TryProblem extends Advice {
  /** From the problem document. */
  detail: string;
}

export interface PlaygroundPageProps {
  site: Site;
  /** The width ladder, in pixels. */
  widths: readonly number[];
  samples: readonly SampleLink[];
  form: PlaygroundForm;
  tried: TriedImage | undefined;
  problem: TryProblem | undefined;
}

/** The page on which anyone tries the service with an image. */
export function PlaygroundPage({ site, widths, samples, form, tried, problem }: PlaygroundPageProps) {
  return (
    <Page title="Playground" site={site} current="/" scripts={tried && ['copy', 'compare', 'playground']}>
      <div>
        <h1>Playground</h1>
        <p class="muted">How small an image becomes, how it looks then, and the code that shows it.</p>
      </div>
      <TryForm form={form} widths={widths} />
      {samples.length > 0 && <Samples samples={samples} current={form.src} />}
      {problem && <Problem problem={problem} />}
      {form.src === '' && (
        <p class="hint">
          Paste the URL of an image that this service may fetch: a JPEG, PNG, WebP, AVIF, HEIC or TIFF, for
          example. Where <code>SOURCE_ALLOW</code> names a bucket, <code>s3://bucket/key</code> is one, too.
        </p>
      )}
      {tried && (
        <>
          <Comparison tried={tried} />
          <VariantTable variants={tried.variants} source={tried.source} />
          <Snippets tried={tried} tier={form.tier} />
        </>
      )}
    </Page>
  );
}

function TryForm({ form, widths }: Pick<PlaygroundPageProps, 'form' | 'widths'>) {
  return (
    <form method="get" action="/" class="card try">
      <div class="field grow">
        <label for="src">URL of an image</label>
        <input
          id="src"
          name="src"
          type="url"
          value={form.src}
          placeholder="https://example.com/photo.jpg"
          required
        />
      </div>
      <div class="field">
        <label for="w">Width</label>
        <select id="w" name="w">
          {widths.map((width) => (
            <option value={width} selected={width === form.width}>
              {width} px
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="q">Tier</label>
        <select id="q" name="q">
          {TIERS.map((tier) => (
            <option value={tier} selected={tier === form.tier}>
              {tier}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="unit">Unit</label>
        <input id="unit" name="unit" value={form.unit} maxlength={128} required />
      </div>
      <button type="submit">Compress</button>
    </form>
  );
}

function Samples({ samples, current }: { samples: readonly SampleLink[]; current: string }) {
  return (
    <nav aria-label="Samples" class="samples">
      {samples.map(({ title, src, href, thumbnail }) => (
        <a href={href} aria-current={src === current ? 'true' : undefined}>
          <img src={thumbnail} alt="" width={72} height={48} />
          {title}
        </a>
      ))}
    </nav>
  );
}

function Problem({ problem }: { problem: TryProblem }) {
  return (
    <div class="error stack" role="alert">
      <h2>{problem.title}</h2>
      <p class="wrap">{problem.detail}</p>
      <p>{problem.todo}</p>
    </div>
  );
}
