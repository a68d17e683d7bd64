import express from 'express';
import type { Express, NextFunction, Request, Response, Router } from 'express';
import swaggerUi from 'swagger-ui-express';

import { operations } from '../contracts/index.ts';
import { plainRoutes } from '../contracts/plain-routes.ts';
import { mountAgents } from './agents/handlers.ts';
import { mountApprovals } from './approvals/handlers.ts';
import { mountDelegations } from './approvals/delegations.ts';
import { mountAudit } from './audit/handlers.ts';
import { mountRecord } from './audit/record.ts';
import { createAuthenticate } from './authentication.ts';
import type { Authenticate } from './authentication.ts';
import { resourceMetadataUrl } from './authentication/resource-metadata.ts';
import { challengeOf } from './authentication/invalid-token.ts';
import type { IdentitySettings } from './authentication/settings.ts';
import { allowCodecOrigins, mountCodec } from './codec/handlers.ts';
import { mountSignIn } from './codec/sign-in.ts';
import { jsonBody } from './body.ts';
import type { ApiDeps } from './deps.ts';
import { mountDirectory } from './directory/handlers.ts';
import { toApiError } from './errors.ts';
import { mountHealth } from './health.ts';
import type { Mounting } from './http.ts';
import { mountChannels } from './notifications/channels.ts';
import { mountNotifications } from './notifications/handlers.ts';
import { openApiDocument } from './openapi.ts';
import { mountPolicy } from './policy/handlers.ts';
import { ApiError, problemOf } from './problem.ts';
import { mountProfiles } from './profiles/handlers.ts';
import { securityHeaders } from './security-headers.ts';
import { mountRecipes } from './recipes/handlers.ts';
import { mountOrgExport } from './people/export.ts';
import { mountPeople } from './people/handlers.ts';
import { mountOrgImport } from './people/import.ts';
import { mountScim } from './scim/router.ts';
import { mountSessions } from './sessions/handlers.ts';
import { mountShards } from './sessions/shards.ts';
import { mountTimeline } from './sessions/timeline.ts';
import { mountInbox } from './status/inbox.ts';
import { mountBrowserSignIn } from './sign-in/handlers.ts';
import { mountRevocation } from './sign-in/revoke.ts';
import { sessionCookie } from './sign-in/session-cookie.ts';
import { mountStatus } from './status/handlers.ts';
import { mountStream } from './stream/stream.ts';
import { mountTasks } from './tasks/handlers.ts';
import { mountTokenService } from './token-service/handlers.ts';
import { traceIdOf } from './trace.ts';

const RETRY_AFTER_S = '2';

/** The HTTP API: every route at the root and under /api. */
export function createApp(deps: ApiDeps, isDraining: () => boolean = () => false): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  if (deps.identity.settings.trustedProxies !== undefined)
    app.set('trust proxy', deps.identity.settings.trustedProxies);
  app.use(securityHeaders(deps.identity.settings.publicUrl));
  app.use((req, res, next) => {
    res.locals['traceId'] = traceIdOf(req);
    res.set({
      'X-Trace-Id': headerSafe(String(res.locals['traceId'])),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    next();
  });
  const router = express.Router();
  mountHealth(router, deps, isDraining);
  mountDocs(router, deps.identity.settings);
  const mounting: Mounting = { router, deps, authenticate: limited(deps) };
  mountSignIn(router, mounting.authenticate);
  allowCodecOrigins(router, deps.codecOrigins);
  mountTokenService(router, deps);
  mountBrowserSignIn(router, deps);
  router.use(sessionCookie(deps.identity));
  refuseOtherMethods(router, (path) => !path.includes('{'));
  mountOrgImport(mounting);
  router.use(...jsonBody);
  for (const mountFeature of FEATURES) mountFeature(mounting);
  refuseOtherMethods(router, (path) => path.includes('{'));
  app.use('/api', router);
  app.use(router);
  app.use((req: Request) => {
    throw new ApiError({ code: 'not_found', detail: `There is no path ${req.path}.` });
  });
  app.use(answerFailure(deps));
  return app;
}

const FEATURES = [
  mountTasks,
  mountApprovals,
  mountDelegations,
  mountSessions,
  mountShards,
  mountTimeline,
  mountNotifications,
  mountChannels,
  mountInbox,
  mountStatus,
  mountStream,
  mountAudit,
  mountRecord,
  mountDirectory,
  mountProfiles,
  mountRecipes,
  mountPolicy,
  mountCodec,
  mountAgents,
  mountPeople,
  mountOrgExport,
  mountScim,
  mountRevocation,
];

/** Finds out who calls, and refuses callers that ask too often: known callers only, so health is never limited. */
function limited({ limits, ...deps }: ApiDeps): Authenticate {
  const authenticate = createAuthenticate(deps);
  return async (authorization, knownForMs) => {
    const known = await authenticate(authorization, knownForMs);
    // A profile that lost a clearance counts at once, whatever was looked up before.
    const own =
      (await deps.profilesOf(known.organisation_id)).get(known.profile ?? known.role)?.privacy.clearance ?? [];
    const principal = { ...known, clearance: known.clearance.filter((kind) => own.includes(kind)) };
    await limits.request(principal);
    return principal;
  };
}

const headerSafe = (text: string): string => text.replaceAll(/[^\w.:-]/g, '').slice(0, 100);

function mountDocs(router: Router, { issuer, publicUrl }: IdentitySettings): void {
  const document = openApiDocument(operations, plainRoutes, { issuer, publicUrl });
  router.get('/openapi.json', (_req, res) => {
    res.json(document);
  });
  // Served from the package: nothing is fetched from outside.
  const swaggerOptions = { validatorUrl: null, requestInterceptor: asOwnPage };
  router.use('/docs', swaggerUi.serve, swaggerUi.setup(document, { swaggerOptions }));
}

/** Runs in the page, as text: whoever is signed in by browser can try what changes something out there too. */
const asOwnPage = <T extends { readonly headers: Record<string, string> }>(request: T): T => {
  request.headers['X-Switchboard-CSRF'] = '1';
  return request;
};

/**
 * A known path with another method is answered with what it has, instead of as if it were unknown. Paths without
 * parameters come before the routes: `GET /tasks/route` must not be read as `GET /tasks/{task_id}`.
 */
function refuseOtherMethods(router: Router, which: (path: string) => boolean): void {
  const byPath = new Map<string, string[]>();
  // Routes that tell failures in the words of another standard refuse other methods themselves.
  const plain = plainRoutes.filter(({ errors }) => errors !== undefined);
  for (const { path, method } of [...operations, ...plain].filter((one) => which(one.path)))
    byPath.set(path, [...(byPath.get(path) ?? []), method.toUpperCase()]);
  for (const [path, methods] of byPath)
    router.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (req, res, next) => {
      if (methods.includes(req.method === 'HEAD' ? 'GET' : req.method)) {
        next();
        return;
      }
      res.set('Allow', methods.join(', '));
      throw new ApiError({
        code: 'method_not_allowed',
        detail: `${req.path} has ${methods.join(', ')}, not ${req.method}.`,
      });
    });
}

const retryAfterOf = ({ retry_after_s }: Record<string, unknown>): string =>
  typeof retry_after_s === 'number' ? String(retry_after_s) : RETRY_AFTER_S;

/** Failures of reading a body, as body-parser tells them (https://github.com/expressjs/body-parser#errors). */
function fromBodyParser(error: unknown): ApiError | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  switch ('type' in error ? error.type : undefined) {
    case 'entity.too.large':
      return new ApiError({ code: 'payload_too_large', detail: 'The body is larger than 1 MiB.' });
    case 'encoding.unsupported':
      return new ApiError({ code: 'unsupported_media_type', detail: 'The Content-Encoding of the body is not known.' });
    case 'request.aborted':
    case 'request.size.invalid':
      return new ApiError({ code: 'malformed_body', detail: 'The body does not have the length it says.' });
    default:
      return isFaultOfSender(error)
        ? new ApiError({ code: 'malformed_body', detail: 'The body is not encoded as its headers say.' })
        : undefined;
  }
}

const isFaultOfSender = (error: object): boolean =>
  'status' in error && typeof error.status === 'number' && error.status >= 400 && error.status < 500;

const answerFailure =
  ({ log, identity }: ApiDeps) =>
  (error: unknown, req: Request, res: Response, next: NextFunction): void => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const traceId = headerSafe(String(res.locals['traceId']));
    const uri =
      error instanceof URIError ? new ApiError({ code: 'invalid_input', detail: 'The path is not valid.' }) : undefined;
    const known = toApiError(error) ?? uri ?? fromBodyParser(error);
    if (!known) log.error({ err: error, trace_id: traceId, method: req.method, path: req.path }, 'a request failed');
    const problem = problemOf(
      known ?? new ApiError({ code: 'internal', detail: 'Something failed here; it is in the log.' }),
      traceId,
    );
    if (problem.status === 503 || problem.status === 429) res.set('Retry-After', retryAfterOf(problem));
    const challenge = known && challengeOf(known, resourceMetadataUrl(identity.settings));
    if (challenge !== undefined) res.set('WWW-Authenticate', challenge);
    res.status(problem.status).type('application/problem+json').json(problem);
  };
