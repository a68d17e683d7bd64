import { revokeSignIns } from '../../contracts/sign-in.ts';
import { findUser } from '../../db/directory.ts';
import { endAccess } from '../../db/end-access.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';

/** Ending sessions and tokens: one's own where a device was lost, anybody's as an administrator. */
export const mountRevocation = (mounting: Mounting): void =>
  mount(mounting, revokeSignIns, ({ user_id }, call) => revoke(mounting.deps, call, user_id ?? call.principal.id), {
    waits: true,
  });

async function revoke(deps: ApiDeps, call: Call, id: string) {
  const asked = { kind: 'sign_in', owners: [`user:${id}`] } as const;
  const policies = await requirePermission(deps, call, 'session:revoke', asked, id);
  return deps.database.transaction(call.principal.organisation_id, async (sql) => {
    if (!(await findUser(sql, id))) throw notFound(id);
    const ended = await endAccess(sql, [id], 'signed_out');
    await recordEvent(sql, call, { action: 'identity.ended', kind: 'identity', id, policies, details: { ...ended } });
    return { user_id: id, ...ended };
  });
}
