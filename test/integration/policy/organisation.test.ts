import test from 'ava';

import { currentPolicies } from '../../../db/policies.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
const by = (name: string): Caller => callerOf(stack, name);
const ADMINISTRATOR = 'Helena Voss';
const PATH = '/policy/organisation';

test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const NO_MARKETING = `@id("nothing-for-marketing")
@why("Marketing is closed this week.")
forbid (principal, action == Action::"task:send", resource)
when { resource has target_role && resource.target_role == "marketing" };`;

const send = (target: string) => by('finance-agent').post('/tasks/route', { target, type: 'x' });
const set = (policies: string, more: Record<string, unknown> = {}) =>
  by(ADMINISTRATOR).put(PATH, { policies, ...more });

test.serial(
  'POL-1: an organisation forbids what the release permits, everywhere within two seconds, and takes it back',
  async (t) => {
    t.timeout(60_000);
    t.is((await send('marketing')).status, 202);
    const { status, body } = await set(NO_MARKETING);
    t.is(status, 200);
    t.like(body, { version: 1, ids: ['organisation:nothing-for-marketing'], dry_run: false });
    const refused = await eventually(
      () => send('marketing'),
      ({ status: now }) => now === 403,
    );
    t.regex(refused.body.detail, /forbidden by organisation:nothing-for-marketing/);
    t.is((await send('legal')).status, 202);
    const read = await by(ADMINISTRATOR).get(PATH);
    t.like(read.body, { version: 1, policies: NO_MARKETING });

    const elsewhere = await callerOf(stack, 'finance-agent', 'other').post('/tasks/route', {
      target: 'marketing',
      type: 'x',
    });
    t.is(elsewhere.status, 202, 'another organisation is as it was');

    t.is((await set('', { expected_version: 1 })).status, 200);
    await eventually(
      () => send('marketing'),
      ({ status: now }) => now === 202,
    );
  },
);

test.serial('POL-1: a change is on record with the digests before and after', async (t) => {
  const before = (await by(ADMINISTRATOR).get(PATH)).body;
  await set(NO_MARKETING);
  await set('');
  const { body } = await by(ADMINISTRATOR).get('/audit?action=policy.changed');
  const [cleared, added] = body.events;
  t.like(cleared?.['details'], { policies: [] });
  t.like(added?.['details'], { before: before['digest'], policies: ['organisation:nothing-for-marketing'] });
  t.is((cleared?.['details'] as { before: string }).before, (added?.['details'] as { after: string }).after);
});

test.serial(
  'POL-1: what could widen, break or lock out is refused with every fault, and changes nothing',
  async (t) => {
    const { version } = (await by(ADMINISTRATOR).get(PATH)).body;
    const wrong: Readonly<Record<string, [string, RegExp]>> = {
      permit: ['@id("a") permit (principal, action, resource);', /a: is a permit/],
      template: ['@id("a") forbid (principal == ?principal, action, resource);', /template/],
      syntax: ['@id("a")\nforbid (principal, action resource);', /line 2: /],
      'no id': ['forbid (principal, action == Action::"task:send", resource);', /needs an annotation @id/],
      twice: [`${NO_MARKETING}\n${NO_MARKETING}`, /nothing-for-marketing: is there twice/],
      'unknown attribute': [
        '@id("a") forbid (principal, action == Action::"task:send", resource) when { resource.colour == "red" };',
        /colour/,
      ],
      'unknown action': ['@id("a") forbid (principal, action == Action::"task:steal", resource);', /task:steal/],
      'wrong type': [
        '@id("a") forbid (principal, action == Action::"task:send", resource) when { principal.role == 3 };',
        /Long|type/,
      ],
      size: [`// ${'x'.repeat(33_000)}\n${NO_MARKETING}`, /bytes long/],
      count: [
        Array.from(
          { length: 51 },
          (_, at) =>
            `@id("p-${String(at)}") forbid (principal, action == Action::"task:send", resource) when { principal.role == "hr" };`,
        ).join('\n'),
        /51 policies; 50 at most/,
      ],
      'lock-out': ['@id("a") forbid (principal, action, resource);', /keep every administrator/],
      'lock-out by role': [
        '@id("a") forbid (principal, action == Action::"policy:manage", resource) when { principal.administrator };',
        /keep every administrator/,
      ],
    };
    for (const [name, [policies, told]] of Object.entries(wrong)) {
      for (const dry_run of [true, false]) {
        const { status, body } = await set(policies, { dry_run });
        t.is(status, 400, name);
        t.is(body.code, 'invalid_input', name);
        t.regex(JSON.stringify(body.errors), told, name);
      }
    }
    const both = await set(
      '@id("a") permit (principal, action, resource);\n@id("b") permit (principal, action, resource);',
    );
    t.is(both.body.errors.length, 2, 'every fault is told');
    t.is((await by(ADMINISTRATOR).get(PATH)).body.version, version);
  },
);

test.serial('POL-1: a dry run tells and stores nothing; of two writers at once one is told', async (t) => {
  const { version } = (await by(ADMINISTRATOR).get(PATH)).body;
  const dry = await set(NO_MARKETING, { dry_run: true });
  t.like(dry.body, { dry_run: true, version: version + 1, ids: ['organisation:nothing-for-marketing'] });
  t.is((await by(ADMINISTRATOR).get(PATH)).body.version, version);
  const answers = await Promise.all([set('', { expected_version: version }), set('', { expected_version: version })]);
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
  t.is(answers.find(({ status }) => status === 409)?.body.code, 'version_conflict');
});

test.serial('POL-1: only administrators see or change them', async (t) => {
  for (const name of ['finance-agent', 'Noor Halvorsen']) {
    t.is((await by(name).get(PATH)).status, 403, name);
    t.is((await by(name).put(PATH, { policies: '' })).status, 403, name);
  }
});

test.serial('POL-3: policies of one organisation are not there for another, nor in its database scope', async (t) => {
  await set(NO_MARKETING);
  const { body } = await callerOf(stack, ADMINISTRATOR, 'other').get(PATH);
  t.like(body, { version: 0, policies: '' });
  t.is(await stack.database.inOrganisation(stack.other.organisationId, currentPolicies), undefined);
  await set('');
});

test.serial(
  'POL-1: text that cannot be read any more refuses everything of the organisation, and only of it',
  async (t) => {
    t.timeout(60_000);
    const foreign = callerOf(stack, 'finance-agent', 'other');
    const insert = (version: number, text: string) =>
      asOwner(
        stack,
        "INSERT INTO organisation_policies (organisation_id, version, text, digest, created_by) VALUES ($1, $2, $3, 'x', 'x')",
        [stack.other.organisationId, version, text],
      );
    await insert(1, '@id("a") permit (principal, action, resource);');
    const refused = await eventually(
      () => foreign.get('/directory'),
      ({ status }) => status === 403,
    );
    t.regex(refused.body.detail, /policies of the organisation cannot be read/);
    t.is((await by('finance-agent').get('/directory')).status, 200);
    await insert(2, '');
    await eventually(
      () => foreign.get('/directory'),
      ({ status }) => status === 200,
    );
    t.pass();
  },
);
