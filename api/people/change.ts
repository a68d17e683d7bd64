import { actorOf } from '../../contracts/actor.ts';
import type { ChangedBy } from '../../db/people/apply.ts';
import { takeDirectory } from '../../db/people/stage.ts';
import type { StagedPerson } from '../../db/people/stage.ts';
import type { PersonRow } from '../../db/people/users.ts';
import type { Queryable } from '../../db/pool.ts';
import { changeDirectory, DirectoryRefusal } from '../../directory/change.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { moveWork } from './moves.ts';
import { refusedChange } from './refusals.ts';

/** Somebody as they are, ready to be changed. */
export const stagedFrom = (row: PersonRow): StagedPerson => ({
  user_id: row.id,
  external_id: row.external_id,
  name: row.name,
  email: row.email,
  role: row.role,
  department: row.department,
  active: row.active,
  manager_id: row.manager_id,
  title: row.title,
  locale: row.locale,
  enabled: row.enabled,
  awaits_role: row.awaits_role,
  deprovisioned: row.deprovisioned,
  scim_external_id: row.scim_external_id,
  administrator: row.administrator,
  assigned_profile: row.assigned_profile,
  user_name: row.user_name,
  given_name: row.given_name,
  family_name: row.family_name,
});

export interface Plan<T> {
  readonly people: readonly StagedPerson[];
  /** Reads what is answered, in the same transaction. */
  readonly answer: (sql: Queryable) => Promise<T>;
}

/** Changes single people in one transaction: what they shall be is worked out while nobody else changes the directory. */
export async function changePeople<T>(
  { database, ...deps }: ApiDeps,
  { principal, traceId }: Call,
  source: ChangedBy['source'],
  plan: (sql: Queryable) => Promise<Plan<T>>,
): Promise<T> {
  const { organisation_id } = principal;
  const by: ChangedBy = { actor: actorOf(principal), trace_id: traceId, source, import_id: null };
  try {
    const { moves, answer } = await database.transaction(organisation_id, async (sql) => {
      if (!(await takeDirectory(sql, true)))
        throw new DirectoryRefusal('busy', 'Another change of the directory is under way.');
      const { people, answer: read } = await plan(sql);
      const changed = await changeDirectory(sql, { people: [people], whole: false, by, wait: true });
      return { moves: changed.moves, answer: await read(sql) };
    });
    if (moves > 0) moveWork({ database, ...deps }, organisation_id);
    return answer;
  } catch (error) {
    throw error instanceof DirectoryRefusal ? refusedChange(error) : error;
  }
}
