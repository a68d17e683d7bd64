import {
  assignProfile,
  assignUser,
  getOrgImport,
  getOrgTree,
  getOrgUser,
  listOrgImports,
  listOrgUsers,
} from '../../contracts/directory.ts';
import { countImports, findImport, listImports } from '../../db/people/imports.ts';
import type { StagedPerson } from '../../db/people/stage.ts';
import { activePeople, findByExternalId, findPerson, listPeople } from '../../db/people/users.ts';
import type { PersonRow } from '../../db/people/users.ts';
import type { Queryable } from '../../db/pool.ts';
import type { Call } from '../call.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { afterOf, pageOf } from '../views.ts';
import { changePeople, stagedFrom } from './change.ts';
import { treeOf } from './tree.ts';
import { importView, userView } from './view.ts';

/** Somebody by id, as they are; refuses who is not there. */
async function personIn(sql: Queryable, id: string): Promise<PersonRow> {
  const person = await findPerson(sql, id);
  if (!person) throw notFound(id);
  return person;
}

interface Wish {
  readonly role?: PersonRow['role'] | undefined;
  readonly profile?: PersonRow['role'] | null | undefined;
  readonly administrator?: boolean | undefined;
  readonly version?: number | undefined;
}

/** What becomes of somebody; whoever waited for a role is let in with it. */
function assigned(person: PersonRow, { role, profile, administrator }: Wish): StagedPerson {
  return {
    ...stagedFrom(person),
    ...(role !== undefined && { role, active: person.enabled, awaits_role: false }),
    ...(profile !== undefined && { assigned_profile: profile }),
    ...(administrator !== undefined && { administrator }),
  };
}

function checkWish({ principal }: Call, person: PersonRow, { role, administrator, version }: Wish): void {
  const others =
    (administrator ?? person.administrator) !== person.administrator || (role ?? person.role) !== person.role;
  if (person.id === principal.id && others)
    throw new ApiError({
      code: 'forbidden',
      detail: 'Nobody changes their own role or rights; another administrator may.',
    });
  if (version !== undefined && version !== Number(person.version))
    throw new ApiError({
      code: 'version_conflict',
      detail: `${person.id} is at version ${person.version}.`,
      facts: { version: Number(person.version) },
    });
}

/** Routes of the org chart: imports, tree, people and what is assigned to them. Administrators only. */
export function mountPeople(mounting: Mounting): void {
  const { deps } = mounting;
  const manage = (call: Call): Promise<unknown> =>
    requirePermission(deps, call, 'directory:manage', { kind: 'organisation' });
  const within = <T>(call: Call, work: (sql: Queryable) => Promise<T>): Promise<T> =>
    deps.database.inOrganisation(call.principal.organisation_id, work);

  mount(mounting, listOrgImports, async ({ limit, cursor, sort }, call) => {
    await manage(call);
    const query = { after: afterOf(cursor), ascending: sort === 'created', limit: limit + 1 };
    const [rows, total] = await within(call, async (sql) => [await listImports(sql, query), await countImports(sql)]);
    const page = pageOf(rows, limit);
    return { imports: page.rows.map(importView), total, next_cursor: page.next };
  });

  mount(mounting, getOrgImport, async ({ import_id }, call) => {
    await manage(call);
    const row = await within(call, (sql) => findImport(sql, import_id));
    if (!row) throw notFound(import_id);
    return { ...importView(row), faults: [...row.faults] };
  });

  mount(mounting, getOrgTree, async ({ below }, call) => {
    await manage(call);
    const people = await within(call, activePeople);
    const tree = treeOf(people, below);
    if (!tree) throw notFound(below ?? '');
    return { ...tree, total_users: people.length };
  });

  mount(mounting, listOrgUsers, async ({ limit, cursor, sort, ...filter }, call) => {
    await manage(call);
    const query = { ...filter, after: afterOf(cursor), ascending: sort === 'created', limit: limit + 1 };
    const page = pageOf(await within(call, (sql) => listPeople(sql, query)), limit);
    return { users: page.rows.map(userView), next_cursor: page.next };
  });

  mount(mounting, getOrgUser, async ({ id }, call) => {
    await manage(call);
    return userView(await within(call, (sql) => personIn(sql, id)));
  });

  mount(mounting, assignUser, async ({ id, ...wish }, call) => {
    await manage(call);
    const person = await changePeople(deps, call, 'manual', async (sql) => {
      const before = await personIn(sql, id);
      checkWish(call, before, wish);
      return { people: [assigned(before, wish)], answer: (after) => personIn(after, id) };
    });
    return userView(person);
  });

  mount(mounting, assignProfile, async ({ user, profile }, call) => {
    await manage(call);
    await changePeople(deps, call, 'manual', async (sql) => {
      const person = (await findByExternalId(sql, user)) ?? (await personIn(sql, user));
      return { people: [assigned(person, { profile })], answer: () => Promise.resolve(undefined) };
    });
    return { success: true, error: null };
  });
}
