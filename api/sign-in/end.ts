import type { Request, Response } from 'express';
import * as client from 'openid-client';

import { endLoginSession, findLoginSession } from '../../db/login-sessions.ts';
import { findUser } from '../../db/directory.ts';
import { revoke } from '../../db/revocations.ts';
import { recordIdentity } from '../authentication/record.ts';
import { sessionHash } from '../authentication/sessions.ts';
import type { ApiDeps } from '../deps.ts';
import { clearSession, sessionIdIn } from './cookies.ts';
import type { FindProvider } from './handlers.ts';
import { requireOwnPage } from './session-cookie.ts';

const DAY_MS = 86_400_000;

/** Ends the browser session, and whatever else belongs to the provider's session; tells where to sign out there too. */
export async function signOut(deps: ApiDeps, find: FindProvider, req: Request, res: Response): Promise<void> {
  const { identity } = deps;
  const id = sessionIdIn(req, identity);
  if (id !== undefined) {
    requireOwnPage(req, identity);
    await endSession(deps, id, String(res.locals['traceId']));
  }
  clearSession(res, identity);
  // So that pages of ours in the browser's cache are not shown to whoever comes next.
  res.set('Clear-Site-Data', '"cache", "storage"');
  res.json({ signed_out: true, provider_sign_out: await providerSignOut(deps, find) });
}

async function endSession({ database, identity }: ApiDeps, id: string, traceId: string): Promise<void> {
  const hash = sessionHash(id);
  const session = await database.unscoped((sql) => findLoginSession(sql, hash, identity.settings.sessionIdleMinutes));
  if (!session) return;
  const { organisation_id, user_id, provider_session } = session;
  await database.transaction(organisation_id, async (sql) => {
    await endLoginSession(sql, hash);
    if (provider_session !== null)
      await revoke(sql, [`session:${provider_session}`], new Date(session.expires_at.getTime() + DAY_MS));
    const user = await findUser(sql, user_id);
    const who = { id: user_id, role: user?.role ?? 'unknown' };
    await recordIdentity(sql, { action: 'identity.signed_out', user: who, details: { way: 'browser' }, traceId });
  });
}

/** Where the browser ends the session at the provider (RP-initiated logout); null where that is not offered. */
async function providerSignOut({ identity: { settings } }: ApiDeps, find: FindProvider): Promise<string | null> {
  if (settings.issuer === undefined) return null;
  try {
    const provider = await find();
    if (provider.serverMetadata().end_session_endpoint === undefined) return null;
    const back = { post_logout_redirect_uri: `${settings.publicUrl}/`, client_id: settings.clientId };
    return client.buildEndSessionUrl(provider, back).href;
  } catch {
    return null;
  }
}
