import type { Request } from 'express';

import { addLoginSession, endLoginSession } from '../../db/login-sessions.ts';
import { organisationIds } from '../../db/deliveries.ts';
import { organisationOf, userOf } from '../authentication/people.ts';
import { recordIdentity } from '../authentication/record.ts';
import { newSessionId, sessionHash } from '../authentication/sessions.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiError } from '../problem.ts';
import { sessionIdIn } from './cookies.ts';

/** Begins a session of the person whom these claims are about, with a new id; answers it. A former one ends. */
export async function beginSession(
  { database, profilesOf, identity }: ApiDeps,
  claims: Readonly<Record<string, unknown>> & { readonly sub: string },
  req: Request,
  traceId: string,
  allow: (userId: string) => Promise<void>,
): Promise<string> {
  const { settings } = identity;
  const directory = { database, profilesOf, settings };
  const issuer = settings.issuer ?? '';
  const organisationId = await organisationOf(directory, claims);
  const user = await userOf(directory, organisationId, { issuer, subject: claims.sub, claims });
  await allow(user.id);
  const id = newSessionId();
  const sid = claims['sid'];
  const session = {
    user_id: user.id,
    issuer,
    subject: claims.sub,
    provider_session: typeof sid === 'string' ? sid : null,
  };
  const former = sessionIdIn(req, identity);
  await database.transaction(organisationId, async (sql) => {
    if (former !== undefined) await endLoginSession(sql, sessionHash(former));
    await addLoginSession(sql, sessionHash(id), session, settings.sessionHours);
    await recordIdentity(sql, { action: 'identity.signed_in', user, details: { issuer, way: 'browser' }, traceId });
  });
  return id;
}

/**
 * Puts a refused sign-in on record where there is one organisation alone: elsewhere nobody knows whose it was, and the
 * log has to do.
 */
export async function recordRefusal({ database }: ApiDeps, error: ApiError, traceId: string): Promise<void> {
  const [only, ...others] = await database.unscoped(organisationIds);
  if (only === undefined || others.length > 0) return;
  const details = { because: error.message, way: 'browser' };
  await database.inOrganisation(only, (sql) =>
    recordIdentity(sql, { action: 'identity.refused', user: null, outcome: 'denied', details, traceId }),
  );
}
