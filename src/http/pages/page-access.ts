import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { csrf } from 'hono/csrf';
import type { Site } from '../../pages/page.tsx';
import { EdgepressError } from '../../protocol/error.ts';
import { type AppEnvironment, type RequestContext, targetOf } from '../http-request.ts';
import { createPageSessions, type PageSessions } from './page-session.ts';

export interface PageAccessOptions {
  /** The admin token. Absent: nobody can log in. */
  token: string | undefined;
  /** Whether image URLs are signed, so that only who has the token may have them made. */
  isSigned: boolean;
  /** `PUBLIC_URL`. */
  publicUrl: string | undefined;
  /** Unix milliseconds. */
  nowMs: () => number;
}

/** Who may open which page. */
export interface PageAccess {
  /** Absent: nobody can log in, and there is no page that needs it. */
  sessions: PageSessions | undefined;
  /** Returns what a visitor may open, for the layout of the page. */
  siteFor(c: RequestContext): Promise<Site>;
  /** Sends visitors without a session to the form for the token. */
  requireLogin: MiddlewareHandler<AppEnvironment>;
  /** Requires a session where URLs are signed; elsewhere, that the service is asked by a name that no other site can have. */
  guardPlayground: MiddlewareHandler<AppEnvironment>;
  /** Refuses what a page of another site sends; for every route that changes something. */
  refuseOtherSites: MiddlewareHandler<AppEnvironment>;
}

/** Creates the rules of who may open which page. */
export function createPageAccess(options: PageAccessOptions): PageAccess {
  const { token, isSigned, publicUrl, nowMs } = options;
  const isSecure = publicUrl?.startsWith('https:') ?? false;
  const sessions = token === undefined ? undefined : createPageSessions(token, isSecure, nowMs);
  const requireLogin: MiddlewareHandler<AppEnvironment> = async (c, next) => {
    if (await sessions?.isValid(c)) return await next();
    return c.redirect(`/login?next=${encodeURIComponent(targetOf(c.req.raw, c.env))}`, 303);
  };
  return {
    sessions,
    async siteFor(c) {
      return {
        hasPlayground: !isSigned || sessions !== undefined,
        hasUnits: sessions !== undefined,
        isLoggedIn: (await sessions?.isValid(c)) ?? false,
      };
    },
    requireLogin,
    guardPlayground: isSigned ? requireLogin : createRefuseOtherNames(publicUrl),
    refuseOtherSites: createRefuseOtherSites(publicUrl),
  };
}

/** Cookies are `SameSite=Strict` as well; this also refuses other ports of the same host. */
function createRefuseOtherSites(publicUrl: string | undefined): MiddlewareHandler<AppEnvironment> {
  const check = csrf({
    origin: (origin, c) => origin === publicUrl || origin === new URL(c.req.url).origin,
  });
  return async (c, next) => {
    await check(c, async () => {}).catch((cause: unknown) => {
      throw new EdgepressError('bad_request', 'The form was not sent from a page of this service', { cause });
    });
    await next();
  };
}

/**
 * Where nobody has to log in, a page of any site could read what is here once the name of that site leads to this address (DNS rebinding).
 * Browsers then ask by that name, and no site has an address as its name.
 */
function createRefuseOtherNames(publicUrl: string | undefined): MiddlewareHandler<AppEnvironment> {
  const publicName = publicUrl && new URL(publicUrl).hostname;
  return async (c, next) => {
    const { hostname } = new URL(c.req.url);
    const isAddress = isIP(hostname.replace(/^\[(.*)\]$/, '$1')) > 0;
    if (isAddress || hostname === 'localhost' || hostname === publicName) return await next();
    const detail = `The playground does not open at ${hostname}, but at localhost, at an IP address and at the host of PUBLIC_URL: set that, if this is where visitors come`;
    throw new EdgepressError('bad_request', detail);
  };
}
