/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { Page, type Site } from './page.tsx';

/** Says why something could not be done, on a page. */
export function RefusalPage({ site, detail, back }: { site: Site; detail: string; back: string }) {
  return (
    <Page title="That did not work" site={site} current="/units">
      <h1>That did not work</h1>
      <p class="error wrap" role="alert">
        {detail}
      </p>
      <p>
        <a href={back}>Back</a>
      </p>
    </Page>
  );
}
