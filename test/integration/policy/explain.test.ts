import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
const by = (name: string): Caller => callerOf(stack, name);
const ADMINISTRATOR = 'Helena Voss';

interface Explained {
  readonly allow: boolean;
  readonly reason: string;
  readonly code: string;
  readonly deciding: readonly {
    id: string;
    why: string;
    text: string;
    conditions: { text: string; holds: boolean }[];
  }[];
  readonly would_permit: Explained['deciding'];
  readonly looked_at: Record<string, unknown>;
}
const explain = (name: string, body: Record<string, unknown>) => by(name).post<Explained>('/policy/explain', body);

test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

test('POL-1: a denial says which policies would permit, which condition failed, and what was looked at', async (t) => {
  const { task_id } = (await by('finance-agent').post('/tasks/route', { target: 'hr', type: 'x' })).body;
  const { status, body } = await explain('finance-agent', { action: 'task:claim', resource: task_id });
  t.is(status, 200);
  t.is(body.allow, false);
  t.deepEqual(body.deciding, []);
  const queue = body.would_permit.find(({ id }) => id === 'roles-claim-from-their-queue');
  t.deepEqual(queue?.conditions, [
    { text: 'resource has target_role', holds: true },
    { text: 'resource.target_role == principal.role', holds: false },
  ]);
  t.true(body.would_permit.every(({ conditions }) => conditions.some(({ holds }) => !holds)));
  t.like(body.looked_at, { 'principal.role': 'finance', 'resource.target_role': 'hr' });
});

test('POL-1: a permission names its policy with text and reason, as the API itself decides', async (t) => {
  const { task_id } = (await by('finance-agent').post('/tasks/route', { target: 'hr', type: 'x' })).body;
  const { body } = await explain('finance-agent', { action: 'task:cancel', resource: task_id });
  t.true(body.allow);
  const [policy] = body.deciding;
  t.is(policy?.id, 'senders-cancel');
  t.regex(policy?.why ?? '', /call it back/);
  t.regex(policy?.text ?? '', /@id\("senders-cancel"\)[\s\S]*permit/);
  t.deepEqual(body.would_permit, []);
  t.is((await by('finance-agent').post(`/tasks/${task_id}/cancel`)).status, 200);
});

test('POL-2: a forbid of the profile is explained: the tool that the agent does not have', async (t) => {
  const { body } = await explain('analyst-agent', { action: 'approval:request', resource: { kind: 'approval' } });
  t.false(body.allow);
  t.deepEqual(
    body.deciding.map(({ id }) => id),
    ['profiles-allow-tools'],
  );
  t.true(body.deciding[0]?.conditions.every(({ holds }) => holds));
  t.is(body.looked_at['context.tool'], 'request_approval');
});

test('POL-2: why a model may not be called', async (t) => {
  const asked = { kind: 'model', model: { provider: 'openai', model: 'gpt-5' } };
  const { body } = await explain('legal-agent', { action: 'model:call', resource: asked });
  t.false(body.allow);
  t.true(body.deciding.some(({ id }) => id === 'profiles-keep-models-local'));
});

test('POL-1: oneself everybody, others administrators only', async (t) => {
  const question = { action: 'audit:read', resource: { kind: 'organisation' } };
  const other = { ...question, principal: by('hr-agent').id };
  t.is((await explain('finance-agent', question)).status, 200);
  t.is((await explain('finance-agent', other)).status, 403);
  t.is((await explain('Noor Halvorsen', { ...question, principal: by(ADMINISTRATOR).id })).status, 403);
  const { body } = await explain(ADMINISTRATOR, other);
  t.false(body.allow);
  t.regex(body.reason, /hr agent/);
});

test('POL-3: what is of another organisation, or may not be read, does not exist', async (t) => {
  const { task_id } = (await by('finance-agent').post('/tasks/route', { target: 'hr', type: 'x' })).body;
  const foreign = callerOf(stack, ADMINISTRATOR, 'other');
  const ask = async (caller: Caller, body: Record<string, unknown>) =>
    (await caller.post('/policy/explain', body)).body.code;
  t.is(await ask(foreign, { action: 'task:read', resource: task_id }), 'not_found');
  t.is(await ask(foreign, { action: 'task:read', resource: by('hr-agent').id }), 'not_found');
  t.is(await ask(foreign, { principal: by('hr-agent').id, action: 'task:read', resource: 'hr' }), 'not_found');
  t.is(await ask(by('legal-agent'), { action: 'task:read', resource: task_id }), 'not_found');
  t.is(await ask(by('legal-agent'), { action: 'task:read', resource: 'nothing' }), 'not_found');
  t.is(await ask(by('legal-agent'), { action: 'task:steal', resource: 'legal' }), 'invalid_input');
});
