/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import { SCRIPTS, STYLE } from './assets.ts';

/** What a visitor may open. */
export interface Site {
  /** Whether there is the playground. */
  hasPlayground: boolean;
  /** Whether there are the pages of units. */
  hasUnits: boolean;
  /** Whether the visitor has logged in, so that there is something to log out of. */
  isLoggedIn: boolean;
}

export interface PageProps {
  /** What the page is about; it stands before the name of the program in the title. */
  title: string;
  site: Site;
  /** The link of the navigation that leads here. */
  current?: '/' | '/units' | undefined;
  /** Run when the page has been parsed. */
  scripts?: readonly (keyof typeof SCRIPTS)[] | undefined;
  children: Child;
}

/** A small picture in a large one. There is no request for it. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%230b6e69'/%3E%3Crect x='4' y='8' width='8' height='4' fill='%23fff'/%3E%3C/svg%3E";

/**
 * The layout of every page: head, navigation, and what is handed in as its content. `sendPage` sends it with the headers that it needs.
 * Attributes `style` and `on…` have no effect, since the policy allows only the style and the scripts that are named here.
 */
export function Page({ title, site, current, scripts = [], children }: PageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · edgepress</title>
        <link rel="icon" href={ICON} />
        <style>{raw(STYLE.text)}</style>
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <Header site={site} current={current} />
        <main id="content" tabindex={-1}>
          {children}
        </main>
        {scripts.map((name) => (
          <script type="module">{raw(SCRIPTS[name].text)}</script>
        ))}
      </body>
    </html>
  );
}

function Header({ site, current }: Pick<PageProps, 'site' | 'current'>) {
  const links = [
    ...(site.hasPlayground ? [{ href: '/' as const, text: 'Playground' }] : []),
    ...(site.hasUnits ? [{ href: '/units' as const, text: 'Units' }] : []),
  ];
  return (
    <header class="site">
      <span class="brand">edgepress</span>
      <nav aria-label="Pages">
        {links.map(({ href, text }) => (
          <a href={href} aria-current={href === current ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      {site.isLoggedIn && (
        <form method="post" action="/logout">
          <button type="submit" class="quiet">
            Log out
          </button>
        </form>
      )}
    </header>
  );
}
