import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** The pages of the API's documentation hold styles of their own; scripts come from their files alone. */
const DOCS = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};
/** Everything else is data, or a page without scripts. */
const PLAIN = { defaultSrc: ["'none'"], formAction: ["'self'"], baseUri: ["'none'"], frameAncestors: ["'none'"] };

/** Security headers of every answer (OWASP Secure Headers); https is demanded where the public address has it. */
export function securityHeaders(publicUrl: string): RequestHandler {
  const common = {
    strictTransportSecurity: publicUrl.startsWith('https:') ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'no-referrer' },
  } as const;
  const plain = helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives: PLAIN } });
  const docs = helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives: DOCS } });
  return (req, res, next) => {
    const handle = /^(\/api)?\/docs(\/|$)/.test(req.path) ? docs : plain;
    handle(req, res, next);
  };
}
