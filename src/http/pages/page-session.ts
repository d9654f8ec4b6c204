import { createHmac } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';

// Who has logged in to the pages: a signed cookie that says until when. It needs no memory, so every worker knows it.

const NAME = 'edgepress-session';
/** A working day. */
const LIFETIME_SECONDS = 8 * 60 * 60;

/** The sessions of people who have sent the admin token. */
export interface PageSessions {
  /** Gives the visitor a session. */
  start(c: Context): Promise<void>;
  /** Ends the session of the visitor. */
  end(c: Context): void;
  /** Returns whether a request belongs to a session. */
  isValid(c: Context): Promise<boolean>;
}

/**
 * Creates the sessions of a service. All processes with the same token know the same sessions; another token ends them.
 *
 * @param isSecure - whether visitors come by HTTPS, so that browsers must not send the cookie otherwise
 * @param nowMs - Unix milliseconds
 */
export function createPageSessions(token: string, isSecure: boolean, nowMs: () => number): PageSessions {
  // Not the token itself, so that nothing that is signed with it elsewhere is a session.
  const key = createHmac('sha256', token).update('edgepress page session').digest('hex');
  const name = isSecure ? `__Host-${NAME}` : NAME;
  const options = { path: '/', httpOnly: true, sameSite: 'Strict', secure: isSecure } as const;
  const nowSeconds = () => Math.floor(nowMs() / 1000);
  return {
    async start(c) {
      const until = String(nowSeconds() + LIFETIME_SECONDS);
      await setSignedCookie(c, name, until, key, { ...options, maxAge: LIFETIME_SECONDS });
    },
    end(c) {
      deleteCookie(c, name, options);
    },
    async isValid(c) {
      const until = await getSignedCookie(c, key, name);
      return typeof until === 'string' && Number(until) > nowSeconds();
    },
  };
}
