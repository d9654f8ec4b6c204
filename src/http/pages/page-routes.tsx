/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { LoginPage } from '../../pages/login.tsx';
import { parseUrl } from '../../parse-url.ts';
import { isAdminToken } from '../admin-token.ts';
import { type App, parametersIn, readText } from '../http-request.ts';
import { refuseMethod } from '../responses.ts';
import { createPageAccess, type PageAccess, type PageAccessOptions } from './page-access.ts';
import { sendPage } from './page-response.ts';
import { addPlayground, type PlaygroundOptions } from './playground-routes.tsx';
import { addUnitPageRoutes, type UnitPageRoutesOptions } from './unit-page-routes.tsx';

export interface PageRoutesOptions extends PageAccessOptions {
  playground: PlaygroundOptions;
  units: UnitPageRoutesOptions;
}

/** Adds the pages for people. */
export function addPageRoutes(app: App, options: PageRoutesOptions): void {
  const access = createPageAccess(options);
  const { sessions } = access;
  if (sessions || !options.isSigned) addPlayground(app, access, options.playground);
  if (sessions && options.token !== undefined) addLogin(app, access, { sessions, token: options.token });
  if (sessions) addUnitPageRoutes(app, access, options.units);
}

/** More than the longest token and the longest target need. */
const MAX_FORM_BYTES = 100_000;
/** What paths are relative to while they are checked. */
const HERE = new URL('http://here.invalid');

function addLogin(
  app: App,
  { siteFor, refuseOtherSites }: PageAccess,
  { sessions, token }: { sessions: NonNullable<PageAccess['sessions']>; token: string },
): void {
  app.get('/login', async (c) => {
    const next = localTarget(parametersIn(c).get('next'));
    if (await sessions.isValid(c)) return c.redirect(next, 303);
    return await sendPage(c, <LoginPage site={await siteFor(c)} next={next} isRefused={false} />);
  });
  app.post('/login', refuseOtherSites, async (c) => {
    const form = new URLSearchParams(await readText(c.req.raw, MAX_FORM_BYTES));
    const next = localTarget(form.get('next'));
    if (!isAdminToken(form.get('token')?.trim() ?? '', token)) {
      return await sendPage(c, <LoginPage site={await siteFor(c)} next={next} isRefused={true} />, 401);
    }
    await sessions.start(c);
    return c.redirect(next, 303);
  });
  app.all('/login', (c) => refuseMethod(c, 'GET, HEAD, POST'));
  app.post('/logout', refuseOtherSites, (c) => {
    sessions.end(c);
    return c.redirect('/login', 303);
  });
  app.all('/logout', (c) => refuseMethod(c, 'POST'));
}

/** Returns where to go after the login: a path of this service, whatever was asked for. */
function localTarget(next: string | null): string {
  const url = next?.startsWith('/') ? parseUrl(next, HERE) : undefined;
  // Of `/.//host`, the path is `//host`: a browser goes to that host.
  return url?.origin === HERE.origin && !url.pathname.startsWith('//') ? url.pathname + url.search : '/';
}
