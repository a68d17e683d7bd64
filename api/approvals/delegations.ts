import { delegateApprovals, endDelegation, listDelegations } from '../../contracts/delegations.ts';
import type { Delegation } from '../../contracts/delegations.ts';
import {
  addDelegation,
  closesCircle,
  endDelegation as removeDelegation,
  listDelegations as queryDelegations,
} from '../../db/delegations.ts';
import type { DelegationRow } from '../../db/delegations.ts';
import { findUser } from '../../db/directory.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { iso } from '../views.ts';

const LONGEST_MS = 366 * 86_400_000;

const viewOf = (row: DelegationRow): Delegation => ({
  id: row.id,
  user_id: row.user_id,
  delegate_id: row.delegate_id,
  valid_from: iso(row.valid_from),
  valid_until: iso(row.valid_until),
  absent: row.absent,
});

function span(from: string, until: string): void {
  const length = Date.parse(until) - Date.parse(from);
  if (length > 0 && length <= LONGEST_MS && Date.parse(until) > Date.now()) return;
  throw new ApiError({
    code: 'invalid_input',
    detail: 'valid_until: must lie in the future, after valid_from, and at most a year later.',
  });
}

/** Routes of delegations: who decides on whose behalf, for how long. */
export function mountDelegations(mounting: Mounting): void {
  const { deps } = mounting;
  mount(
    mounting,
    delegateApprovals,
    async ({ delegate_id, valid_until, valid_from = new Date().toISOString(), absent }, call) => {
      const { principal } = call;
      await requirePermission(deps, call, 'approval:delegate', { kind: 'organisation' });
      span(valid_from, valid_until);
      const row = { id: call.id, user_id: principal.id, delegate_id, valid_from, valid_until, absent };
      return deps.database.transaction(principal.organisation_id, async (sql) => {
        // One at a time for each organisation, or two halves of a circle could be made at once.
        await sql.query("SELECT pg_advisory_xact_lock(hashtext('delegations:' || $1))", [principal.organisation_id]);
        if (!(await findUser(sql, delegate_id))) throw notFound(`User ${delegate_id}`);
        if (await closesCircle(sql, principal.id, delegate_id, valid_from, valid_until))
          throw new ApiError({ code: 'illegal_transition', detail: 'The delegation would close a circle.' });
        const added = await addDelegation(sql, row);
        if (!added) throw notFound(`Delegation ${call.id}`);
        await recordEvent(sql, call, {
          action: 'approval.delegated',
          kind: 'delegation',
          id: added.id,
          details: { delegate_id, valid_from, valid_until, absent },
        });
        return viewOf(added);
      });
    },
    { creates: 'delegation', waits: true },
  );

  mount(mounting, listDelegations, async (_, call) => {
    await requirePermission(deps, call, 'approval:delegate', { kind: 'organisation' });
    const rows = await deps.database.inOrganisation(call.principal.organisation_id, (sql) =>
      queryDelegations(sql, call.principal.id),
    );
    return { delegations: rows.map(viewOf) };
  });

  mount(mounting, endDelegation, ({ delegation_id }, call) =>
    deps.database.transaction(call.principal.organisation_id, async (sql) => {
      const ended = await removeDelegation(sql, delegation_id, call.principal.id);
      if (!ended) throw notFound(`Delegation ${delegation_id}`);
      await recordEvent(sql, call, {
        action: 'approval.delegation_ended',
        kind: 'delegation',
        id: ended.id,
        details: {},
      });
      return viewOf(ended);
    }),
  );
}
