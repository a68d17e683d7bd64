import type { Request, Response } from 'express';
import { filter as testerOf, parse } from 'scim2-parse-filter';
import { z } from 'zod';

import { UserId } from '../../contracts/ids.ts';
import { Role, ROLES } from '../../contracts/principal.ts';
import { membersOf, peopleByIds } from '../../db/people/scim.ts';
import type { StagedPerson } from '../../db/people/stage.ts';
import type { PersonRow } from '../../db/people/users.ts';
import type { Queryable } from '../../db/pool.ts';
import { changePeople, stagedFrom } from '../people/change.ts';
import { ScimRefusal } from './error.ts';
import { PatchInput, stepsOf } from './patch.ts';
import { baseOf, listAnswer, pageWanted, send } from './protocol.ts';
import type { ScimCall } from './protocol.ts';
import { GROUP } from './schemas.ts';

const Members = z.array(z.looseObject({ value: UserId })).max(50_000);
const GroupInput = z.looseObject({ displayName: z.string().max(200), members: Members.nullish() });

const ONLY_ROLES = `Groups are the roles ${ROLES.join(', ')}; no others can be made.`;

function roleIn(req: Request): Role {
  const role = Role.safeParse(String(req.params['id']).toLowerCase());
  if (!role.success) throw new ScimRefusal(404, 'There is no such group.');
  return role.data;
}

const groupResource = (role: Role, members: readonly Pick<PersonRow, 'id' | 'name'>[] | undefined, base: string) => ({
  schemas: [GROUP],
  id: role,
  displayName: role,
  ...(members && {
    members: members.map(({ id, name }) => ({ value: id, display: name, type: 'User', $ref: `${base}/Users/${id}` })),
  }),
  meta: { resourceType: 'Group', location: `${base}/Groups/${role}` },
});

function withoutMembers({ query }: Request): boolean {
  const names = query['excludedAttributes'];
  return typeof names === 'string' && names.toLowerCase().split(',').includes('members');
}

async function answer(req: Request, res: Response, scim: ScimCall, role: Role): Promise<void> {
  const members = withoutMembers(req) ? undefined : await scim.within((sql) => membersOf(sql, role));
  send(res, 200, groupResource(role, members, baseOf(req)));
}

/** GET /Groups?filter&startIndex&count */
export async function listGroups(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const page = pageWanted(req);
  const text = req.query['filter'];
  const test = typeof text === 'string' && text !== '' ? testOf(text) : () => true;
  const found = ROLES.filter((role) => test({ id: role, displayName: role }));
  const shown = found.slice(page.offset, page.offset + page.count);
  const resources: object[] = [];
  for (const role of shown) {
    const members = withoutMembers(req) ? undefined : await scim.within((sql) => membersOf(sql, role));
    resources.push(groupResource(role, members, baseOf(req)));
  }
  send(res, 200, listAnswer(found.length, page, resources), 'list');
}

function testOf(text: string): (resource: unknown) => boolean {
  try {
    return testerOf(parse(text.slice(0, 1_000)));
  } catch {
    throw new ScimRefusal(400, 'The filter cannot be read.', 'invalidFilter');
  }
}

/** GET /Groups/{id} */
export const readGroup = (req: Request, res: Response, scim: ScimCall): Promise<void> =>
  answer(req, res, scim, roleIn(req));

/** POST /Groups: the roles are there; nothing else can be made. */
export function createGroup(req: Request): Promise<void> {
  const { displayName } = GroupInput.parse(req.body);
  const exists = Role.safeParse(displayName.toLowerCase()).success;
  if (exists) throw new ScimRefusal(409, `The group ${displayName} exists; link to it.`, 'uniqueness');
  throw new ScimRefusal(400, ONLY_ROLES, 'invalidValue');
}

/** DELETE /Groups/{id}: roles stay. */
export function deleteGroup(): Promise<void> {
  throw new ScimRefusal(403, 'Roles cannot be deleted; take their members out instead.', 'mutability');
}

const joined = (row: PersonRow, role: Role): StagedPerson => ({
  ...stagedFrom(row),
  role,
  awaits_role: false,
  active: row.enabled,
});
/** Without a role nobody is let in. */
const left = (row: PersonRow): StagedPerson => ({ ...stagedFrom(row), awaits_role: true, active: false });

/** What a request asks of a group. */
interface Membership {
  readonly add: ReadonlySet<string>;
  readonly remove: ReadonlySet<string>;
  /** Nobody stays but those who are added. */
  readonly only: boolean;
}

async function apply(sql: Queryable, role: Role, { add, remove, only }: Membership): Promise<StagedPerson[]> {
  const now = await membersOf(sql, role);
  const gone = now.filter(({ id }) => !add.has(id) && (only || remove.has(id))).map(({ id }) => id);
  const leaving = (await peopleByIds(sql, gone)).map(left);
  const coming = await peopleByIds(sql, [...add]);
  if (coming.length < add.size) throw new ScimRefusal(404, 'A member is nobody of your organisation.');
  return [...leaving, ...coming.map((row) => joined(row, role))];
}

async function changeMembers(req: Request, res: Response, scim: ScimCall, membership: Membership): Promise<void> {
  const role = roleIn(req);
  await changePeople(scim.deps, scim.call, 'scim', async (sql) => ({
    people: await apply(sql, role, membership),
    answer: () => Promise.resolve(undefined),
  }));
  await answer(req, res, scim, role);
}

/** PUT /Groups/{id} */
export async function replaceGroup(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const { displayName, members } = GroupInput.parse(req.body);
  if (displayName.toLowerCase() !== roleIn(req)) throw new ScimRefusal(400, ONLY_ROLES, 'mutability');
  const add = new Set((members ?? []).map(({ value }) => value));
  await changeMembers(req, res, scim, { add, remove: new Set(), only: true });
}

/** Ids in a step: in its value, or in the filter of its path, as `members[value eq "…"]`. */
function idsIn({ path, value }: { path?: string | null | undefined; value?: unknown }): string[] {
  const [, id] = /^members\[\s*value\s+eq\s+"([^"]+)"\s*\]$/i.exec(path ?? '') ?? [];
  if (id !== undefined) return [UserId.parse(id)];
  if (value === undefined || value === null) return [];
  return Members.parse(Array.isArray(value) ? value : [value]).map((member) => member.value);
}

/** PATCH /Groups/{id} */
export async function patchGroup(req: Request, res: Response, scim: ScimCall): Promise<void> {
  const [add, remove] = [new Set<string>(), new Set<string>()];
  let only = false;
  for (const step of stepsOf(PatchInput.parse(req.body))) {
    const attribute = (step.path ?? '').toLowerCase();
    if (['displayname', 'externalid', 'id'].includes(attribute)) continue;
    if (!attribute.startsWith('members')) throw new ScimRefusal(400, 'A group has no such attribute.', 'invalidPath');
    const ids = idsIn(step);
    if (step.op === 'replace') {
      add.clear();
      only = true;
    }
    if (step.op === 'remove' && ids.length === 0) only = true;
    for (const id of ids) {
      const [to, from] = step.op === 'remove' ? [remove, add] : [add, remove];
      to.add(id);
      from.delete(id);
    }
  }
  await changeMembers(req, res, scim, { add, remove, only });
}
