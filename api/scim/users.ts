import type { Request, Response } from 'express';

import { UserId } from '../../contracts/ids.ts';
import { ANYBODY, pageOfPeople, peopleAfter, peopleByUserName } from '../../db/people/scim.ts';
import type { StagedPerson } from '../../db/people/stage.ts';
import { findPerson } from '../../db/people/users.ts';
import type { PersonRow } from '../../db/people/users.ts';
import type { Queryable } from '../../db/pool.ts';
import { newId } from '../../platform/ids.ts';
import { changePeople, stagedFrom } from '../people/change.ts';
import { ScimRefusal } from './error.ts';
import { readFilter } from './filter.ts';
import { patched, PatchInput } from './patch.ts';
import { baseOf, listAnswer, pageWanted, send } from './protocol.ts';
import type { ScimCall } from './protocol.ts';
import { UserInput, userResource, versionOf, wishOf } from './user.ts';
import type { UserResource } from './user.ts';

const missing = (id: string): ScimRefusal => new ScimRefusal(404, `Resource ${id.slice(0, 100)} not found.`);

/** Somebody that provisioning sees; what it deleted is not there for it. */
async function visible(sql: Queryable, id: string): Promise<PersonRow> {
  const row = UserId.safeParse(id).success ? await findPerson(sql, id) : undefined;
  if (!row || row.deprovisioned) throw missing(id);
  return row;
}

function checkVersion(req: Request, row: PersonRow): void {
  const wanted = req.get('if-match');
  if (wanted === undefined || wanted === '*') return;
  const tags = wanted.split(',').map((tag) => tag.trim());
  if (!tags.includes(versionOf(row))) throw new ScimRefusal(412, `The version is ${versionOf(row)}.`);
}

/** Somebody with what a resource says; without a role they wait for one. */
function stagedBy(input: UserInput, before: PersonRow | undefined, id: string): StagedPerson {
  const wish = wishOf(input, before?.external_id ?? id);
  const role = before?.role ?? 'support';
  const awaits_role = before?.awaits_role ?? true;
  const kept = before ? stagedFrom(before) : {};
  return {
    ...kept,
    ...wish,
    user_id: before?.id ?? id,
    role,
    awaits_role,
    active: wish.enabled && !awaits_role,
    deprovisioned: false,
  };
}

async function checkNames(sql: Queryable, { user_name, user_id, manager_id }: StagedPerson): Promise<void> {
  const others = (await peopleByUserName(sql, user_name ?? '')).filter(
    (one) => one.id !== user_id && !one.deprovisioned,
  );
  if (others.length > 0) throw new ScimRefusal(409, 'Somebody else has this userName.', 'uniqueness');
  if (manager_id !== null && manager_id !== undefined && !(await findPerson(sql, manager_id)))
    throw new ScimRefusal(400, `manager.value: ${manager_id} is nobody of your organisation.`, 'invalidValue');
}

function answer(res: Response, row: PersonRow, status = 200): void {
  const resource = userResource(row, baseOf(res.req));
  res.set('ETag', versionOf(row));
  if (status === 201) res.set('Location', resource.meta['location'] ?? '');
  send(res, status, resource);
}

/** Changes one person, as they are at that moment. */
async function change(
  req: Request,
  res: Response,
  scim: ScimCall,
  become: (row: PersonRow, resource: UserResource) => StagedPerson,
): Promise<PersonRow> {
  const id = String(req.params['id']);
  return changePeople(scim.deps, scim.call, 'scim', async (sql) => {
    const row = await visible(sql, id);
    checkVersion(req, row);
    const staged = become(row, userResource(row, baseOf(res.req)));
    await checkNames(sql, staged);
    return { people: [staged], answer: async (after) => (await findPerson(after, id)) ?? row };
  });
}

/** POST /Users. Who was deleted comes back under the id of before. */
export async function createUser(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const input = UserInput.parse(req.body);
  const row = await changePeople(scim.deps, scim.call, 'scim', async (sql) => {
    const known = (await peopleByUserName(sql, input.userName))[0];
    if (known && !known.deprovisioned) throw new ScimRefusal(409, `userName is taken by ${known.id}.`, 'uniqueness');
    const id = known?.id ?? newId('user');
    const staged = stagedBy(input, known && { ...known, awaits_role: true }, id);
    await checkNames(sql, staged);
    const read = async (after: Queryable): Promise<PersonRow> => visible(after, id);
    return { people: [staged], answer: read };
  });
  answer(res, row, 201);
}

/** GET /Users/{id} */
export async function readUser(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const row = await scim.within((sql) => visible(sql, String(req.params['id'])));
  if (req.get('if-none-match') === versionOf(row)) {
    res.status(304).end();
    return;
  }
  answer(res, row);
}

/** PUT /Users/{id} */
export async function replaceUser(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const input = UserInput.parse(req.body);
  answer(res, await change(req, res, scim, (row) => stagedBy(input, row, row.id)));
}

/** PATCH /Users/{id} */
export async function patchUser(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const patch = PatchInput.parse(req.body);
  const row = await change(req, res, scim, (before, resource) => {
    const after = patched(resource, patch);
    return stagedBy(UserInput.parse(renamed(resource, after)), before, before.id);
  });
  answer(res, row);
}

/** Where only a part of a name was patched, the name is put together anew. */
function renamed(before: UserResource, after: UserResource): UserResource {
  const [was, is] = [before, after].map(({ name }) => name as Record<string, string | undefined> | undefined);
  if (before['displayName'] !== after['displayName'] || was?.['formatted'] === undefined) return after;
  if (was['formatted'] !== is?.['formatted']) return { ...after, displayName: is?.['formatted'] ?? null };
  const same = was['givenName'] === is['givenName'] && was['familyName'] === is['familyName'];
  if (same || is['givenName'] === undefined || is['familyName'] === undefined) return after;
  return { ...after, displayName: `${is['givenName']} ${is['familyName']}` };
}

/** DELETE /Users/{id}: they leave; the record keeps them. */
export async function deleteUser(req: Request, res: Response, scim: ScimCall): Promise<void> {
  await change(req, res, scim, (row) => ({ ...stagedFrom(row), enabled: false, active: false, deprovisioned: true }));
  res.status(204).end();
}

const SCANNED = 1_000;

/** Resources that a test holds for, page by page of the table: memory stays flat whatever the filter. */
async function scan(
  scim: ScimCall,
  base: string,
  test: (resource: unknown) => boolean,
  { offset, count }: { readonly offset: number; readonly count: number },
): Promise<{ total: number; resources: UserResource[] }> {
  const resources: UserResource[] = [];
  let total = 0;
  for (let after = ''; ;) {
    const rows = await scim.within((sql) => peopleAfter(sql, after, SCANNED));
    for (const resource of rows.map((row) => userResource(row, base)).filter(test)) {
      if (total >= offset && resources.length < count) resources.push(resource);
      total += 1;
    }
    const last = rows.at(-1);
    if (!last || rows.length < SCANNED) return { total, resources };
    after = last.id;
  }
}

/** GET /Users?filter&startIndex&count */
export async function listUsers(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const page = pageWanted(req);
  const base = baseOf(req);
  const text = req.query['filter'];
  const filter = typeof text === 'string' && text !== '' ? readFilter(text) : { condition: ANYBODY };
  if ('test' in filter) {
    const { total, resources } = await scan(scim, base, filter.test, page);
    send(res, 200, listAnswer(total, page, resources), 'list');
    return;
  }
  const { total, rows } = await scim.within((sql) => pageOfPeople(sql, filter.condition, page.offset, page.count));
  send(
    res,
    200,
    listAnswer(
      total,
      page,
      rows.map((row) => userResource(row, base)),
    ),
    'list',
  );
}
