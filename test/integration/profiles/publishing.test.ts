import test from 'ava';
import { parse } from 'yaml';

import { verifyProfileBundle } from '../../../platform/profile-bundle.ts';
import type { BundleKeys } from '../../../platform/profile-bundle.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually, rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
const by = (name: string): Caller => callerOf(stack, name);
const ADMINISTRATOR = 'Helena Voss';

interface Published {
  readonly role: string;
  readonly version: number;
  readonly digest: string;
  readonly profile: Record<string, unknown>;
}

test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const own = async (name: string) => (await by(name).get<Published>('/profiles/me')).body;
const release = async (role: string) => (await by(ADMINISTRATOR).get<Record<string, unknown>>(`/profiles/${role}`)).body;

test('DIR-2: everybody gets the profile of the role that was assigned, and no other', async (t) => {
  t.like(await own('finance-agent'), { role: 'finance', version: 1 });
  const { status, headers, body } = await by('legal-agent').get<Published>('/profiles/me');
  t.is(status, 200);
  t.is(body.role, 'legal');
  t.is(headers.get('etag'), `"1-${body.digest.slice(-16)}"`);
  for (const view of ['', '/bundle', '/goose', '/mcp', '/config'])
    t.is((await by('legal-agent').get(`/profiles/finance${view}`)).status, 403, view);
  t.is((await rest(stack.apiUrl, undefined, 'GET', '/profiles/me')).status, 401);
});

test('DIR-2: whoever has the version is told that nothing changed', async (t) => {
  const { headers } = await by('legal-agent').get('/profiles/legal');
  const etag = headers.get('etag') ?? '';
  t.regex(etag, /^"1-[0-9a-f]{16}"$/);
  t.is((await by('legal-agent').get('/profiles/legal', { 'if-none-match': etag, 'cache-control': 'max-age=0' })).status, 304);
});

test('DIR-3: a signed bundle holds against the published keys', async (t) => {
  const keys = (await rest<BundleKeys>(stack.apiUrl, undefined, 'GET', '/profiles/keys')).body;
  for (const path of ['/profiles/me/bundle', '/profiles/hr/bundle']) {
    const { status, body } = await by('hr-agent').get<string>(path);
    t.is(status, 200);
    const bundle = await verifyProfileBundle(body, keys, { organisation: stack.organisationId, role: 'hr', lastVersion: 1 });
    t.deepEqual(bundle.profile, await release('hr'));
  }
});

test('DIR-3: the profile as configuration of goose and of any MCP client', async (t) => {
  const goose = await by('developer-agent').get<string>('/profiles/me/goose');
  const config = parse(goose.body) as Record<string, unknown> & { extensions: Record<string, Record<string, unknown>> };
  t.like(config.extensions['switchboard'], {
    type: 'streamable_http',
    uri: 'http://127.0.0.1:8091/mcp',
    enabled: true,
    headers: { Authorization: 'Bearer ${SWITCHBOARD_API_KEY}' },
  });
  t.is(config['GOOSE_LEAD_PROVIDER'], 'anthropic');
  t.is(config['ANTHROPIC_HOST'], 'http://127.0.0.1:8090');
  t.is(config.extensions['developer']?.['type'], 'builtin');
  const legal = parse((await by('legal-agent').get<string>('/profiles/me/goose')).body) as Record<string, unknown>;
  t.is(legal['OLLAMA_HOST'], 'http://127.0.0.1:8090');
  const { body } = await by('developer-agent').get<{ mcpServers: Record<string, unknown> }>('/profiles/me/mcp');
  t.like(body.mcpServers['switchboard'], { type: 'http', url: 'http://127.0.0.1:8091/mcp' });
});

test.serial('DIR-3: an organisation stores versions of its own; rollback is a new version; history stays', async (t) => {
  const profile = { ...(await release('support')), display_name: 'Help desk' };
  const path = '/admin/profiles/support';
  const dry = await by(ADMINISTRATOR).put(path, { profile, dry_run: true });
  t.like(dry.body, { version: 2, dry_run: true });
  t.is((await own('support-agent')).version, 1);
  const stored = await by(ADMINISTRATOR).put(path, { profile, expected_version: 1 });
  t.like(stored.body, { version: 2, restores: null, created_by: by(ADMINISTRATOR).id });
  const seen = await eventually(() => own('support-agent'), ({ version }) => version === 2);
  t.is(seen.profile['display_name'], 'Help desk');
  t.is(seen.digest, stored.body.digest);
  t.is((await by(ADMINISTRATOR).put(path, { profile, expected_version: 1 })).body.code, 'version_conflict');
  t.like((await by(ADMINISTRATOR).put(path, { restore: 1 })).body, { version: 3, restores: 1 });
  await eventually(() => own('support-agent'), ({ profile: now }) => now['display_name'] !== 'Help desk');
  t.like((await by(ADMINISTRATOR).put(path, { restore: 2 })).body, { version: 4, restores: 2, digest: stored.body.digest });
  t.is((await by(ADMINISTRATOR).put(path, { restore: 9 })).status, 404);
  const { body } = await by(ADMINISTRATOR).get<{ versions: { version: number }[] }>(`${path}/versions`);
  t.deepEqual(body.versions.map(({ version }) => version), [4, 3, 2, 1]);
  const { events } = (await by(ADMINISTRATOR).get('/audit?action=profile.changed&subject_id=support')).body;
  t.deepEqual(events.map((event) => (event['details'] as { version: number }).version), [4, 3, 2]);

  const keys = (await rest<BundleKeys>(stack.apiUrl, undefined, 'GET', '/profiles/keys')).body;
  const jws = (await by('support-agent').get<string>('/profiles/me/bundle')).body;
  t.is((await verifyProfileBundle(jws, keys, { lastVersion: 4 })).version, 4);
});

test.serial('POL-3: versions of one organisation are not there for another', async (t) => {
  const profile = { ...(await release('analyst')), display_name: 'Numbers' };
  await by(ADMINISTRATOR).put('/admin/profiles/analyst', { profile });
  await eventually(() => own('analyst-agent'), ({ version }) => version === 2);
  const other = (name: string): Caller => callerOf(stack, name, 'other');
  t.like((await other('analyst-agent').get('/profiles/me')).body, { version: 1 });
  const { body } = await other(ADMINISTRATOR).get<{ versions: unknown[] }>('/admin/profiles/analyst/versions');
  t.is(body.versions.length, 1);
  t.is((await other(ADMINISTRATOR).put('/admin/profiles/analyst', { restore: 2 })).status, 404);
});

test('DIR-3: a faulty profile is refused with the path of every fault, and changes nothing', async (t) => {
  const profile = await release('hr');
  const faulty = {
    ...profile,
    display_name: '',
    nickname: 'x',
    privacy: { ...(profile['privacy'] as object), rules: [{ pattern: '(', replacement: 'x' }] },
    automated_tasks: [{ name: 'a', recipe: 'nowhere', schedule: '0 9 * * 1' }],
    extensions: [{ name: 'switchboard', tools: ['steal'] }],
  };
  for (const dry_run of [true, false]) {
    const { status, body } = await by(ADMINISTRATOR).put('/admin/profiles/hr', { profile: faulty, dry_run });
    t.is(status, 400);
    const pointers = body.errors.map(({ pointer }) => pointer);
    for (const pointer of ['/profile/display_name', '/profile/extensions/0/tools', '/profile/privacy/rules/0/pattern'])
      t.true(pointers.includes(pointer), `${pointer} in ${pointers.join()}`);
  }
  const wrongRole = await by(ADMINISTRATOR).put('/admin/profiles/hr', { profile: await release('legal') });
  t.is(wrongRole.body.errors[0]?.pointer, '/profile/role');
  t.is((await by(ADMINISTRATOR).put('/admin/profiles/hr', {})).status, 400);
  t.is((await own('hr-agent')).version, 1);
});

test('DIR-2: only administrators change profiles', async (t) => {
  for (const name of ['finance-agent', 'Noor Halvorsen']) {
    t.is((await by(name).put('/admin/profiles/finance', { restore: 1 })).status, 403);
    t.is((await by(name).get('/admin/profiles/finance/versions')).status, 403);
  }
});

test.serial('POL-2: what a new version allows is what the API permits', async (t) => {
  t.timeout(60_000);
  const profile = await release('marketing');
  const extensions = [{ name: 'switchboard', tools: ['fetch_status'] }];
  t.is((await by('marketing-agent').post('/tasks/route', { target: 'hr', type: 'x' })).status, 202);
  await by(ADMINISTRATOR).put('/admin/profiles/marketing', { profile: { ...profile, extensions } });
  const send = () => by('marketing-agent').post('/tasks/route', { target: 'hr', type: 'x' });
  const refused = await eventually(send, ({ status }) => status === 403);
  t.deepEqual(refused.body['policies'], ['profiles-allow-tools']);
  await by(ADMINISTRATOR).put('/admin/profiles/marketing', { restore: 1 });
  await eventually(send, ({ status }) => status === 202);
});

test.serial('GUARD-4: a new clearance is what callers see in clear from then on', async (t) => {
  const me = async () => (await by('developer-agent').get<{ clearance: string[] }>('/me')).body.clearance;
  t.deepEqual(await me(), []);
  const profile = await release('developer');
  const privacy = { ...(profile['privacy'] as object), clearance: ['email'] };
  await by(ADMINISTRATOR).put('/admin/profiles/developer', { profile: { ...profile, privacy } });
  await eventually(me, (clearance) => clearance.includes('email'));
  t.pass();
});
