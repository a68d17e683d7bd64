import express from 'express';
import type { RequestHandler, Router } from 'express';

import type { Authenticate } from '../authentication.ts';
import { ApiError } from '../problem.ts';

const COOKIE = 'switchboard_codec';
const KEPT_MS = 8 * 3_600_000;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Reading histories</title>
<h1>Reading workflow histories</h1>
<p><a href="../auth/login?return_to=/codec/sign-in">Sign in by browser</a> as an administrator, or give an access token or key here, and the Temporal Web UI in this browser shows what is encrypted, for eight hours.</p>
<form method="post" action="sign-in">
<label>Access token or API key <input type="password" name="key" autocomplete="off" required></label>
<button>Sign in</button>
</form>
</html>`;

/**
 * The Web UI of the development server knows no access token. Whoever signs in here gets a cookie that goes to the codec
 * endpoint alone, is out of reach of scripts, and is sent by no other site.
 */
export function mountSignIn(router: Router, authenticate: Authenticate): void {
  router.get('/codec/sign-in', (_req, res) => {
    res.set('Content-Security-Policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'");
    res.type('html').send(PAGE);
  });
  router.post('/codec/sign-in', express.urlencoded({ extended: false, limit: '2kb' }), async (req, res) => {
    const { key } = (req.body ?? {}) as { readonly key?: unknown };
    const { administrator } = await authenticate(`Bearer ${typeof key === 'string' ? key : ''}`);
    if (!administrator) throw new ApiError({ code: 'forbidden', detail: 'Only administrators read histories.' });
    const path = req.originalUrl.replace(/\/sign-in.*$/, '');
    res.cookie(COOKIE, key, { httpOnly: true, sameSite: 'strict', secure: req.secure, path, maxAge: KEPT_MS });
    res.type('text/plain').send('Signed in. In the Web UI, under "Configure a codec endpoint", include credentials.');
  });
}

/** Takes the cookie for the Authorization header, where the browser says that the Web UI asks. */
export const signedInByCookie =
  (origins: readonly string[]): RequestHandler =>
  (req, res, next) => {
    const asked = origins.includes(req.get('origin') ?? '');
    // The session cookie of somebody who is signed in by browser counts from there too.
    if (asked) res.locals['trustedOrigin'] = true;
    const [, key] = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]+)`).exec(req.get('cookie') ?? '') ?? [];
    if (asked && key !== undefined) req.headers.authorization ??= `Bearer ${decodeURIComponent(key)}`;
    next();
  };
