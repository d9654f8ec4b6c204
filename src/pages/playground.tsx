/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { Page, type Site } from './page.tsx';

/** An image to try. */
export interface Sample {
  title: string;
  src: string;
}

export interface PlaygroundPageProps {
  site: Site;
  samples: readonly Sample[];
}

/** The page on which anyone tries the service with an image. */
export function PlaygroundPage({ site, samples }: PlaygroundPageProps) {
  return (
    <Page title="Playground" site={site} current="/">
      <h1>Playground</h1>
      <ul>
        {samples.map(({ title, src }) => (
          <li>
            <a href={`/?src=${encodeURIComponent(src)}`}>{title}</a>
          </li>
        ))}
      </ul>
    </Page>
  );
}
