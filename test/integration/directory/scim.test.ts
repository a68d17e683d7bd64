import test from 'ava';

import { takeDirectory } from '../../../db/people/stage.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually, rest } from '../../support/rest.ts';
import type { Answer } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

let stack: TestStack;
let admin: Caller;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
  admin = callerOf(stack, 'Helena Voss');
});
test.after.always(() => stack.close());

type Resource = Record<string, unknown> & { readonly id: string; readonly meta: Record<string, string> };
interface Listed {
  readonly totalResults: number;
  readonly itemsPerPage: number;
  readonly startIndex: number;
  readonly Resources: readonly Resource[];
}
const scim = <T = Resource>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> =>
  rest<T>(stack.apiUrl, admin.key, method, `/scim/v2${path}`, {
    ...(body !== undefined && { body }),
    headers: { 'content-type': 'application/scim+json', ...headers },
  });
const list = async (query: string): Promise<Listed> => (await scim<Listed>('GET', `/Users?${query}`)).body;
const filtered = (filter: string): Promise<Listed> => list(`filter=${encodeURIComponent(filter)}`);
let made = 0;
const newUser = (more: Record<string, unknown> = {}): Record<string, unknown> => {
  made += 1;
  return {
    schemas: [USER, ENTERPRISE],
    userName: `person${String(made)}@scim.example`,
    externalId: `okta-${String(made)}`,
    name: { givenName: 'Pat', familyName: `Number${String(made)}` },
    emails: [{ primary: true, value: `person${String(made)}@scim.example`, type: 'work' }],
    active: true,
    ...more,
  };
};
const create = async (more: Record<string, unknown> = {}): Promise<Resource> => {
  const { status, body } = await scim('POST', '/Users', newUser(more));
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
};
const patch = (id: string, ...Operations: object[]): Promise<Answer<Resource>> =>
  scim('PATCH', `/Users/${id}`, { schemas: [PATCH], Operations });
const join = (role: string, id: string): Promise<Answer<Resource>> =>
  scim('PATCH', `/Groups/${role}`, {
    schemas: [PATCH],
    Operations: [{ op: 'add', path: 'members', value: [{ value: id }] }],
  });
const personOf = async (id: string): Promise<Record<string, unknown>> =>
  (await admin.get<Record<string, unknown>>(`/admin/users/${id}`)).body;

test('DIR-2: SCIM: a provisioned person waits for a role, and is let in by a group', async (t) => {
  const user = newUser({ title: 'Auditor', displayName: 'Pat Adler', [ENTERPRISE]: { department: 'Risk' } });
  const answer = await scim('POST', '/Users', user);
  t.is(answer.status, 201, JSON.stringify(answer.body));
  t.regex(answer.headers.get('content-type') ?? '', /^application\/scim\+json/);
  const { id, meta } = answer.body;
  t.is(answer.headers.get('location'), meta['location'] ?? '');
  t.is(answer.headers.get('etag'), meta['version'] ?? '');
  t.like(answer.body, { active: true, displayName: 'Pat Adler', title: 'Auditor', groups: [] });
  t.like(answer.body[ENTERPRISE], { department: 'Risk' });
  t.like(await personOf(id), { status: 'awaiting_role', role: null, source: 'scim' });
  t.is((await join('finance', id)).status, 200);
  t.like(await personOf(id), { status: 'active', role: 'finance' });
  t.deepEqual((await scim('GET', `/Users/${id}`)).body['roles'], [{ value: 'finance', primary: true }]);
  const group = (await scim('GET', '/Groups/finance')).body;
  t.true((group['members'] as { value: string }[]).some(({ value }) => value === id));
  t.false('members' in (await scim('GET', '/Groups/finance?excludedAttributes=members')).body);
});

test('DIR-2: SCIM: filters, pages and attributes', async (t) => {
  const { id } = await create({ externalId: 'ext-7', [ENTERPRISE]: { department: 'Filters' } });
  const only = async (filter: string): Promise<readonly string[]> =>
    (await filtered(filter)).Resources.map((one) => one.id);
  const userName = String((await scim('GET', `/Users/${id}`)).body['userName']);
  t.deepEqual(await only(`userName eq "${userName.toUpperCase()}"`), [id]);
  t.deepEqual(await only('externalId eq "ext-7"'), [id]);
  t.deepEqual(await only('externalId eq "EXT-7"'), []);
  t.deepEqual(await only(`emails[type eq "work" and value eq "${userName}"]`), [id]);
  t.deepEqual(await only(`${ENTERPRISE}:department eq "Filters" and active eq true`), [id]);
  t.deepEqual(await only('userName eq "nobody" or externalId sw "ext-"'), [id]);
  t.deepEqual(await only('displayName co "%"'), []);
  const all = await list('count=0');
  t.like(all, { itemsPerPage: 0, startIndex: 1, Resources: [] });
  const [first, second] = [await list('startIndex=1&count=5'), await list('startIndex=6&count=5')];
  t.is(first.totalResults, all.totalResults);
  t.is(new Set([...first.Resources, ...second.Resources].map((one) => one.id)).size, 10);
  t.deepEqual(Object.keys((await list('count=1&attributes=userName')).Resources[0] ?? {}).sort(), [
    'id',
    'meta',
    'schemas',
    'userName',
  ]);
  const bad = await scim('GET', '/Users?filter=userName%20eq');
  t.is(bad.status, 400);
  t.like(bad.body, { status: '400', scimType: 'invalidFilter' });
});

test('DIR-2: SCIM: a name is taken once; a version that is not the present one is refused', async (t) => {
  const user = newUser();
  t.is((await scim('POST', '/Users', user)).status, 201);
  const again = await scim('POST', '/Users', user);
  t.is(again.status, 409);
  t.like(again.body, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    scimType: 'uniqueness',
    status: '409',
  });
  const { id, meta } = await create();
  const put = (etag: string) => scim('PUT', `/Users/${id}`, newUser({ title: 'New' }), { 'if-match': etag });
  t.is((await put('W/"99"')).status, 412);
  const done = await put(meta['version'] ?? '');
  t.is(done.status, 200, JSON.stringify(done.body));
  t.is(done.body['title'], 'New');
  t.not(done.body.meta['version'], meta['version']);
  t.is((await put(meta['version'] ?? '')).status, 412);
});

test('DIR-2: SCIM: Entra ID: texts for booleans, steps without path, dotted names, capital letters, a manager by id', async (t) => {
  const { id } = await create({ name: { givenName: 'Pat', familyName: 'Moss' } });
  await join('legal', id);
  const manager = callerOf(stack, 'Noor Halvorsen').id;
  const changed = await patch(
    id,
    { op: 'Replace', value: { title: 'Counsel', 'name.givenName': 'Robin', [`${ENTERPRISE}:department`]: 'Law' } },
    { op: 'Add', path: `${ENTERPRISE}:manager`, value: manager },
    { op: 'Replace', path: 'emails[type eq "work"].value', value: 'robin@scim.example' },
  );
  t.is(changed.status, 200, JSON.stringify(changed.body));
  t.like(changed.body, { title: 'Counsel', displayName: 'Robin Moss' });
  t.like(await personOf(id), { department: 'Law', manager_id: manager, email: 'robin@scim.example' });
  t.is((await patch(id, { op: 'Replace', path: 'active', value: 'False' })).body['active'], false);
  t.like(await personOf(id), { status: 'inactive', role: 'legal' });
  t.is((await patch(id, { op: 'replace', value: { active: 'True' } })).body['active'], true);
  t.like(await personOf(id), { status: 'active', role: 'legal' });
});

test('DIR-2: SCIM: Okta: replace without path, groups one after the other, and members taken out lose access', async (t) => {
  const { id } = await create();
  await join('hr', id);
  t.is((await patch(id, { op: 'replace', value: { active: false } })).body['active'], false);
  t.is((await patch(id, { op: 'replace', value: { active: true } })).status, 200);
  await join('analyst', id);
  t.like(await personOf(id), { role: 'analyst', status: 'active' });
  const remove = (role: string, path: string): Promise<Answer<Resource>> =>
    scim('PATCH', `/Groups/${role}`, { schemas: [PATCH], Operations: [{ op: 'remove', path }] });
  // The old group lets go after the new one took over: nothing is lost.
  const released = await remove('hr', `members[value eq "${id}"]`);
  t.is(released.status, 200, JSON.stringify(released.body));
  t.like(await personOf(id), { role: 'analyst', status: 'active' });
  t.is((await remove('analyst', `members[value eq "${id}"]`)).status, 200);
  t.like(await personOf(id), { role: null, status: 'awaiting_role' });
});

test('DIR-2: SCIM: groups are the eight roles', async (t) => {
  const { body } = await scim<Listed>('GET', '/Groups?excludedAttributes=members');
  t.is(body.totalResults, 8);
  const found = await scim<Listed>('GET', `/Groups?filter=${encodeURIComponent('displayName eq "finance"')}`);
  t.deepEqual(
    found.body.Resources.map(({ id }) => id),
    ['finance'],
  );
  t.is((await scim('POST', '/Groups', { displayName: 'finance' })).status, 409);
  t.is((await scim('POST', '/Groups', { displayName: 'root' })).status, 400);
  t.is((await scim('DELETE', '/Groups/finance')).status, 403);
  t.is((await scim('GET', '/Groups/root')).status, 404);
});

test('DIR-2: SCIM: who is deleted is gone for provisioning, kept in the directory, and comes back under the same id', async (t) => {
  const user = newUser();
  const { id } = (await scim('POST', '/Users', user)).body;
  await join('support', id);
  t.is((await scim('DELETE', `/Users/${id}`)).status, 204);
  t.is((await scim('GET', `/Users/${id}`)).status, 404);
  t.is((await filtered(`userName eq "${String(user['userName'])}"`)).totalResults, 0);
  t.like(await personOf(id), { status: 'inactive' });
  const back = await scim('POST', '/Users', user);
  t.is(back.status, 201, JSON.stringify(back.body));
  t.is(back.body.id, id);
  t.like(await personOf(id), { status: 'awaiting_role' });
});

test('DIR-2: SCIM: provisioning cannot take the last administrator, nor make circles of managers', async (t) => {
  const off = await patch(admin.id, { op: 'replace', path: 'active', value: false });
  t.is(off.status, 409, JSON.stringify(off.body));
  t.is((await admin.get('/me')).status, 200);
  const below = callerOf(stack, 'Marcus Oduya').id;
  const circle = await patch(admin.id, { op: 'replace', path: `${ENTERPRISE}:manager`, value: below });
  t.is(circle.status, 409, JSON.stringify(circle.body));
});

test('DIR-2: SCIM: only administrators and services synchronise; other organisations see and change nothing', async (t) => {
  for (const name of ['Priya Lindqvist', 'finance-agent']) {
    const { key } = callerOf(stack, name);
    const { status, body, headers } = await rest<Body>(stack.apiUrl, key, 'GET', '/scim/v2/Users');
    t.is(status, 403);
    t.is(body.status, '403');
    t.regex(headers.get('content-type') ?? '', /scim\+json/);
  }
  t.is((await rest(stack.apiUrl, undefined, 'GET', '/scim/v2/Users')).status, 401);
  const { id } = await create();
  const { key } = callerOf(stack, 'Helena Voss', 'other');
  for (const method of ['GET', 'DELETE'])
    t.is((await rest(stack.apiUrl, key, method, `/scim/v2/Users/${id}`)).status, 404);
  const members = { schemas: [PATCH], Operations: [{ op: 'add', path: 'members', value: [{ value: id }] }] };
  t.is((await rest(stack.apiUrl, key, 'PATCH', '/scim/v2/Groups/hr', { body: members })).status, 404);
  t.like(await personOf(id), { status: 'awaiting_role' });
});

test('X-1: what is no resource, no patch and no attribute is refused and changes nothing', async (t) => {
  const { id, meta } = await create();
  const refused = async (answer: Promise<Answer<Resource>>): Promise<void> => {
    const { status, body } = await answer;
    t.is(status, 400, JSON.stringify(body));
    t.deepEqual(body['schemas'], ['urn:ietf:params:scim:api:messages:2.0:Error']);
  };
  await refused(scim('POST', '/Users', { schemas: [USER] }));
  await refused(scim('POST', '/Users', newUser({ emails: [{ value: 'no address' }] })));
  await refused(scim('PUT', `/Users/${id}`, { userName: 7 }));
  await refused(patch(id, { op: 'invent', path: 'title', value: 'x' }));
  await refused(patch(id, { op: 'replace', path: '__proto__.polluted', value: 'x' }));
  await refused(patch(id, { op: 'replace', path: 'active', value: 'perhaps' }));
  await refused(scim('PATCH', `/Users/${id}`, '{'));
  t.is((await scim('GET', `/Users/${id}`)).body.meta['version'], meta['version']);
  t.is((await scim('GET', '/Nothing')).status, 404);
});

test('DIR-2: SCIM: the provider says what it can do', async (t) => {
  const config = (await scim('GET', '/ServiceProviderConfig')).body;
  t.like(config, { patch: { supported: true }, etag: { supported: true }, bulk: { supported: false } });
  t.is((await scim<Listed>('GET', '/ResourceTypes')).body.totalResults, 2);
  t.is((await scim<Listed>('GET', '/Schemas')).body.totalResults, 3);
  t.is((await scim('GET', `/Schemas/${USER}`)).status, 200);
  await eventually(
    () => scim('GET', '/ResourceTypes/User'),
    ({ status }) => status === 200,
  );
});

test.serial('DIR-2: SCIM: while an import has the turn, clients are told to come back', async (t) => {
  const { id } = await create();
  await stack.database.transaction(stack.organisationId, async (sql) => {
    t.true(await takeDirectory(sql, true));
    const { status, headers } = await patch(id, { op: 'replace', path: 'title', value: 'Late' });
    t.is(status, 503);
    t.is(headers.get('retry-after'), '2');
  });
  t.is((await patch(id, { op: 'replace', path: 'title', value: 'Now' })).status, 200);
});
