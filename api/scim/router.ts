import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import { z } from 'zod';

import { newId } from '../../platform/ids.ts';
import { requireScope } from '../authentication.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { toApiError } from '../errors.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { problemOf } from '../problem.ts';
import { checkTraceId } from '../trace.ts';
import { ScimRefusal, scimError, scimTypeOf } from './error.ts';
import { createGroup, deleteGroup, listGroups, patchGroup, readGroup, replaceGroup } from './groups.ts';
import { SCIM_PATH, send } from './protocol.ts';
import type { ScimCall } from './protocol.ts';
import { LIST, resourceTypes, schemas, serviceProviderConfig } from './schemas.ts';
import { createUser, deleteUser, listUsers, patchUser, readUser, replaceUser } from './users.ts';

type Handler = (req: Request, res: Response, scim: ScimCall) => Promise<void>;

/** Asks who calls and whether they may synchronise, then handles. */
const permitted =
  ({ deps, authenticate }: Mounting, handle: Handler) =>
  async (req: Request, res: Response): Promise<void> => {
    const traceId = String(res.locals['traceId']);
    checkTraceId(traceId);
    const principal = await authenticate(req.get('authorization'));
    // Of a service policy asks for the scope that it has.
    if (principal.kind !== 'service') requireScope(principal, req.method === 'GET' ? 'read' : 'write');
    const call: Call = { principal, traceId, id: newId('audit'), signal: new AbortController().signal };
    await requirePermission(deps, call, 'directory:sync', { kind: 'organisation' });
    const within: ScimCall['within'] = (work) => deps.database.inOrganisation(principal.organisation_id, work);
    await handle(req, res, { deps, call, within });
  };

const list = (resources: readonly object[]): object => ({
  schemas: [LIST],
  totalResults: resources.length,
  startIndex: 1,
  itemsPerPage: resources.length,
  Resources: resources,
});

/** What the provider says of itself (RFC 7644, section 4). */
function mountDiscovery(router: express.Router, mounting: Mounting): void {
  const shown =
    (body: object): Handler =>
    (_req, res) => {
      send(res, 200, body);
      return Promise.resolve();
    };
  const all: readonly (readonly [string, readonly { readonly id: string }[]])[] = [
    ['/ResourceTypes', resourceTypes],
    ['/Schemas', schemas],
  ];
  router.get('/ServiceProviderConfig', permitted(mounting, shown(serviceProviderConfig)));
  for (const [path, resources] of all) {
    router.get(path, permitted(mounting, shown(list(resources))));
    const one: Handler = (req, res) => {
      const found = resources.find(({ id }) => id === req.params['id']);
      if (!found) throw new ScimRefusal(404, 'There is no such resource.');
      send(res, 200, found);
      return Promise.resolve();
    };
    router.get(`${path}/:id`, permitted(mounting, one));
  }
}

/** SCIM 2.0 (RFC 7643, RFC 7644): users and, as groups, the roles. */
export function mountScim(mounting: Mounting): void {
  const router = express.Router();
  const on = (handle: Handler) => permitted(mounting, handle);
  mountDiscovery(router, mounting);
  router.route('/Users').get(on(listUsers)).post(on(createUser));
  router.route('/Users/:id').get(on(readUser)).put(on(replaceUser)).patch(on(patchUser)).delete(on(deleteUser));
  router.route('/Groups').get(on(listGroups)).post(on(createGroup));
  router.route('/Groups/:id').get(on(readGroup)).put(on(replaceGroup)).patch(on(patchGroup)).delete(on(deleteGroup));
  router.use(() => {
    throw new ScimRefusal(404, 'There is no such endpoint, or it does not take this method.');
  });
  mounting.router.use(SCIM_PATH, router, answerFailure(mounting.deps));
}

const UNIQUE = '23505';

function refusalOf(error: unknown): { status: number; body: object } | undefined {
  if (error instanceof ScimRefusal)
    return { status: error.status, body: scimError(error.status, error.message, error.scimType) };
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    const detail = `${(issue?.path ?? []).map(String).join('.') || 'The body'}: ${issue?.message ?? 'is not valid'}`;
    return { status: 400, body: scimError(400, detail, 'invalidValue') };
  }
  if (error instanceof Error && 'code' in error && error.code === UNIQUE)
    return { status: 409, body: scimError(409, 'Somebody else has this id or e-mail address.', 'uniqueness') };
  const known = toApiError(error);
  if (!known) return undefined;
  // An import has the turn: clients of SCIM come back after a 503, and give up after a 409.
  const status = known.code === 'import_running' ? 503 : problemOf(known, '').status;
  return { status, body: scimError(status, known.message, scimTypeOf(known)) };
}

/** Failures in the form that clients of SCIM read. */
const answerFailure =
  ({ log }: ApiDeps) =>
  (error: unknown, req: Request, res: Response, next: NextFunction): void => {
    const refusal = refusalOf(error);
    if (res.headersSent || (refusal === undefined && isOfBody(error))) {
      next(error);
      return;
    }
    if (!refusal) log.error({ err: error, trace_id: res.locals['traceId'], path: req.path }, 'a request failed');
    const { status, body } = refusal ?? {
      status: 500,
      body: scimError(500, 'Something failed here; it is in the log.'),
    };
    if (status === 503 || status === 429) res.set('Retry-After', '2');
    if (status === 401) res.set('WWW-Authenticate', 'Bearer');
    res.status(status).type('application/scim+json').send(JSON.stringify(body));
  };

/** Failures of reading a body are answered where all of those are. */
const isOfBody = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'type' in error && typeof error.type === 'string';
