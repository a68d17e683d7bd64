import type { Request, RequestHandler } from 'express';

import type { Identity } from '../authentication/identity.ts';
import { SESSION_SCHEME } from '../authentication/sessions.ts';
import { ApiError } from '../problem.ts';
import { sessionIdIn } from './cookies.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A header that no form can send, and no other site's script without our leave (which CORS never gives). */
export const CSRF_HEADER = 'x-switchboard-csrf';

/**
 * Takes the session cookie for a credential where a request carries no other. What changes something is taken from our
 * own pages alone: the browser says where it comes from, and the header says that a script of ours sent it.
 */
export const sessionCookie =
  (identity: Identity): RequestHandler =>
  (req, res, next) => {
    const id = req.headers.authorization === undefined ? sessionIdIn(req, identity) : undefined;
    if (id !== undefined) {
      if (!SAFE.has(req.method) && res.locals['trustedOrigin'] !== true) requireOwnPage(req, identity);
      req.headers.authorization = `${SESSION_SCHEME} ${id}`;
    }
    next();
  };

/** Throws where a request with a cookie does not come from a page of ours. */
export function requireOwnPage(req: Request, { settings }: Identity): void {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const own = new URL(settings.publicUrl).origin;
  // Browsers without Sec-Fetch-Site send Origin with what changes something; one of the two has to speak for us.
  const fromUs = site === undefined ? origin === own : site === 'same-origin' && (origin ?? own) === own;
  if (fromUs && req.get(CSRF_HEADER) !== undefined) return;
  throw new ApiError({
    code: 'forbidden',
    detail: fromUs
      ? `Requests with a session cookie that change something carry the header ${CSRF_HEADER}: 1.`
      : 'The request comes from another site.',
  });
}
