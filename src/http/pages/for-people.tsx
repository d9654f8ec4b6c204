/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { MiddlewareHandler } from 'hono';
import { accepts } from 'hono/accepts';
import { RefusalPage } from '../../pages/refusal.tsx';
import { EdgepressError } from '../../protocol/error.ts';
import { type AppEnvironment, pathOf, type RequestContext, targetOf } from '../http-request.ts';
import type { PageAccess } from './page-access.ts';
import { sendPage } from './page-response.ts';

// Pages at paths that programs use, too: who asks for HTML, and sends no token, is a person with a browser.

export type PageHandler = (c: RequestContext) => Response | Promise<Response>;

/** Returns a route that answers browsers of people who have logged in, and leaves all other requests to the routes after it. */
export type ForPeople = (handler: PageHandler) => MiddlewareHandler<AppEnvironment>;

const TYPES = ['application/json', 'text/html', 'text/event-stream'];

/** Returns which of the types of these paths a request asks for: JSON, unless it says otherwise. */
export function wantedType(c: RequestContext): string {
  if (c.req.header('authorization') !== undefined) return 'application/json';
  return accepts(c, { header: 'Accept', supports: TYPES, default: 'application/json' });
}

/** Errors become pages: nobody wants to read a problem document. */
export function createForPeople({ siteFor, requireLogin, refuseOtherSites }: PageAccess): ForPeople {
  async function sendRefusal(c: RequestContext, error: unknown): Promise<Response> {
    if (!(error instanceof EdgepressError)) throw error;
    const back = pathOf(targetOf(c.req.raw, c.env)).split('/').slice(0, 3).join('/');
    const page = <RefusalPage site={await siteFor(c)} detail={`${error.message}.`} back={back} />;
    return await sendPage(c, page, refusalStatus(error));
  }

  return (handler) => async (c, next) => {
    if (wantedType(c) !== 'text/html') return await next();
    try {
      // Does nothing for requests that change nothing.
      await refuseOtherSites(c, async () => {});
      let response: Response | undefined;
      const login = await requireLogin(c, async () => {
        response = await handler(c);
      });
      return login ?? response;
    } catch (error) {
      return await sendRefusal(c, error);
    }
  };
}

/** Returns the status of a page that says what went wrong. */
export function refusalStatus({ code }: EdgepressError): 400 | 404 | 405 | 503 {
  if (code === 'overloaded') return 503;
  if (code === 'method_not_allowed') return 405;
  return code === 'not_found' ? 404 : 400;
}
