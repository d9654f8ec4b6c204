/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { Page, type Site } from './page.tsx';

export interface LoginPageProps {
  site: Site;
  /** The path and query to open after the login. */
  next: string;
  /** Whether a wrong token was sent. */
  isRefused: boolean;
}

/** The form that asks for the admin token. */
export function LoginPage({ site, next, isRefused }: LoginPageProps) {
  return (
    <Page title="Log in" site={site}>
      <form method="post" action="/login" class="card narrow stack">
        <h1>Log in</h1>
        {isRefused && (
          <p class="error" role="alert">
            That is not the admin token.
          </p>
        )}
        <input type="hidden" name="next" value={next} />
        {/* For password managers. */}
        <input type="text" name="username" value="admin" autocomplete="username" hidden />
        <div class="field">
          <label for="token">Admin token</label>
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            aria-describedby="token-hint"
            required
            autofocus
          />
          <p id="token-hint" class="hint">
            The value of <code>ADMIN_TOKEN</code> in the environment of the service.
          </p>
        </div>
        <button type="submit">Log in</button>
      </form>
    </Page>
  );
}
