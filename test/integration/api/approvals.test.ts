import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import type { Answer } from '../../support/rest.ts';
import { addAgent } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const NOBODY = 'user_01928f00-0000-7000-8000-00000000dead';
const FINANCE = ['Tobias Renn', 'Priya Lindqvist', 'Owen Tashiro'];
const MANAGERS = ['Helena Voss', 'Marcus Oduya', 'Ines Calder'];
const pay = (amount: number, extra: Record<string, unknown> = {}) => ({
  tool: 'pay',
  arguments: { amount, to: 'supplier', ...extra },
});

async function asked(from: Caller, fields: Record<string, unknown>): Promise<string> {
  const { status, body } = await from.post('/approvals', { subject: 'a payment', ...fields });
  if (status !== 202) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body.approval_id;
}
const respond = (
  who: Caller,
  id: string,
  decision: string,
  more: Record<string, unknown> = {},
): Promise<Answer<Body>> => who.post(`/approvals/${id}/respond`, { decision, ...more });
const read = async (who: Caller, id: string): Promise<Body> => (await who.get(`/approvals/${id}`)).body;
const until = (who: Caller, id: string, status: string, milliseconds = 15_000): Promise<Body> =>
  eventually(
    () => read(who, id),
    (one) => one.status === status,
    milliseconds,
  );
const users = (names: readonly string[]) => names.map((name) => by(name).id);

interface Case {
  readonly approvers: () => Record<string, unknown>;
  readonly action?: Record<string, unknown>;
  /** Who approves, in turn, and the status after each. */
  readonly votes: readonly (readonly [string, string])[];
  readonly role?: string;
}
const CASES: Readonly<Record<string, Case>> = {
  'any of a role': { approvers: () => ({ roles: ['manager'] }), votes: [['Ines Calder', 'approved']] },
  'all: one per role': {
    approvers: () => ({ roles: ['manager', 'legal'], rule: 'all' }),
    votes: [
      ['Ines Calder', 'pending'],
      ['Marcus Oduya', 'pending'],
      ['Felix Amaro', 'approved'],
    ],
  },
  'all of some people': {
    approvers: () => ({ users: users(['Ines Calder', 'Noor Halvorsen']), rule: 'all' }),
    votes: [
      ['Noor Halvorsen', 'pending'],
      ['Ines Calder', 'approved'],
    ],
  },
  'two of a role': {
    approvers: () => ({ roles: ['manager'], quorum: 2 }),
    votes: [
      ['Ines Calder', 'pending'],
      ['Marcus Oduya', 'approved'],
    ],
  },
  'the manager of somebody': {
    approvers: () => ({ manager_of: by('Owen Tashiro').id }),
    votes: [['Tobias Renn', 'approved']],
  },
  'a policy with a condition that does not hold': {
    approvers: () => ({
      policy: {
        all_of: [{ role: 'manager' }, { role: 'legal', when: { path: 'action.arguments.amount', over: 100 } }],
      },
    }),
    action: pay(100),
    votes: [['Ines Calder', 'approved']],
  },
  'a policy with a condition that holds': {
    approvers: () => ({
      policy: {
        all_of: [{ role: 'manager' }, { role: 'legal', when: { path: 'action.arguments.amount', over: 100 } }],
      },
    }),
    action: pay(101),
    votes: [
      ['Ines Calder', 'pending'],
      ['Felix Amaro', 'approved'],
    ],
  },
  'a condition on an amount that is no number': {
    approvers: () => ({
      policy: {
        all_of: [{ role: 'manager' }, { role: 'legal', when: { path: 'action.arguments.amount', over: 100 } }],
      },
    }),
    action: { tool: 'pay', arguments: { amount: '5' } },
    votes: [
      ['Ines Calder', 'pending'],
      ['Felix Amaro', 'approved'],
    ],
  },
  'one of nested policies': {
    approvers: () => ({ policy: { any_of: [{ n: 2, of: [{ role: 'manager' }] }, { role: 'legal' }] } }),
    votes: [
      ['Ines Calder', 'pending'],
      ['Noor Halvorsen', 'approved'],
    ],
  },
  "the finance profile's policy: over 10,000 a manager": {
    approvers: () => ({ policy: 'spend' }),
    action: pay(10_001),
    votes: [['Ines Calder', 'approved']],
  },
  "the finance profile's policy: over 50,000 finance and a manager": {
    approvers: () => ({ policy: 'spend' }),
    action: pay(50_001),
    votes: [
      ['Priya Lindqvist', 'pending'],
      ['Marcus Oduya', 'approved'],
    ],
  },
};

for (const [name, { approvers, action, votes }] of Object.entries(CASES))
  test(`APPR-2: ${name}`, async (t) => {
    const from = by('finance-agent');
    const id = await asked(from, { approvers: approvers(), ...(action && { action }) });
    for (const [who, status] of votes) {
      const answer = await respond(by(who), id, 'approve');
      t.is(answer.status, 200, `${who}: ${JSON.stringify(answer.body)}`);
      t.is(answer.body.status, status, who);
    }
    t.is((await read(from, id)).status, votes.at(-1)?.[1] ?? 'pending');
  });

test('APPR-1, APPR-2: what nobody could approve is refused', async (t) => {
  const from = by('finance-agent');
  for (const [fields, status, code] of [
    [{ approvers: { policy: 'spend' }, action: pay(10_000) }, 422, 'no_eligible_approver'],
    [{ approvers: { roles: ['support'] } }, 422, 'no_eligible_approver'],
    [{ approvers: { roles: ['legal'], quorum: 3 } }, 422, 'no_eligible_approver'],
    [{ approvers: { manager_of: by('Helena Voss').id } }, 422, 'no_eligible_approver'],
    [{ approvers: { policy: 'nonsense' } }, 422, 'unknown_target'],
    [{ approvers: { users: [] } }, 400, 'invalid_input'],
    [{ approvers: { users: [NOBODY] } }, 422, 'unknown_target'],
    [{}, 400, 'invalid_input'],
    [{ approver_role: 'manager', editable: { type: 'nonsense' } }, 400, 'invalid_input'],
    [{ approver_role: 'manager', task_id: 'task_01928f00-0000-7000-8000-00000000dead' }, 404, 'not_found'],
  ] as const) {
    const answer = await from.post('/approvals', { subject: 's', ...fields });
    t.is(answer.status, status, JSON.stringify([fields, answer.body]));
    t.is(answer.body.code, code);
  }
});

test('APPR-2: requesters never approve their own: themselves, their agents, the people they act for', async (t) => {
  const person = by('Ines Calder');
  const agent = await addAgent(stack, 'manager', { actsFor: person.id });
  const approvers = { roles: ['manager'] };
  const byPerson = await asked(person, { approvers, agents_may_decide: true });
  const byAgent = await asked(agent, { approvers, agents_may_decide: true });
  for (const [id, who] of [
    [byPerson, person],
    [byPerson, agent],
    [byAgent, person],
    [byAgent, agent],
  ] as const) {
    const answer = await respond(who, id, 'approve');
    t.is(answer.status, 403, `${who.name}: ${JSON.stringify(answer.body)}`);
    t.is(answer.body.code, 'not_an_approver');
    t.is((await read(person, id)).status, 'pending');
  }
  const roleAgent = by('manager-agent');
  const byRole = await asked(roleAgent, { approvers, agents_may_decide: true });
  t.is((await respond(roleAgent, byRole, 'approve')).status, 403);
  t.is((await respond(by('Marcus Oduya'), byRole, 'approve')).status, 200);
  const sole = await person.post('/approvals', { subject: 's', approvers: { users: [person.id] } });
  t.is(sole.body.code, 'no_eligible_approver');
  t.is(
    (await agent.post('/approvals', { subject: 's', approvers: { users: [person.id] } })).body.code,
    'no_eligible_approver',
  );
});

test('APPR-2: agents decide only where the request says so, and count as the person they act for', async (t) => {
  const from = by('finance-agent');
  const person = by('Felix Amaro');
  const agent = await addAgent(stack, 'legal', { actsFor: person.id });
  const approvers = { users: users(['Felix Amaro', 'Noor Halvorsen']), rule: 'all' };
  const closed = await asked(from, { approvers });
  t.is((await respond(agent, closed, 'approve')).body.code, 'not_an_approver');
  t.is((await respond(by('legal-agent'), closed, 'approve')).body.code, 'not_an_approver');
  const id = await asked(from, { approvers, agents_may_decide: true });
  t.is((await respond(agent, id, 'approve')).body.status, 'pending');
  t.is((await respond(person, id, 'approve')).body.status, 'pending', 'the same person does not count twice');
  t.is((await respond(by('Noor Halvorsen'), id, 'approve')).body.status, 'approved');
  const byRole = await asked(from, { approvers: { roles: ['legal'] }, agents_may_decide: true });
  t.is((await respond(by('legal-agent'), byRole, 'approve')).body.status, 'approved');
});

test('APPR-2: the agent of a role is one voice, never two people', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approvers: { roles: ['legal'], quorum: 2 }, agents_may_decide: true });
  const [a, b] = [by('legal-agent'), await addAgent(stack, 'legal')];
  const first = await respond(a, id, 'approve');
  const second = await respond(b, id, 'approve');
  t.log(first.body.status, second.status, second.body.status, second.body['votes']);
  t.is(
    (await read(from, id)).status,
    'pending',
    'two agents without a person behind them are not two different people',
  );
});

test('APPR-1: approve with edits sets only what the schema allows, and the digest follows', async (t) => {
  const from = by('finance-agent');
  const editable = { type: 'object', properties: { amount: { type: 'number', maximum: 900 } } };
  const id = await asked(from, { approver_role: 'manager', action: pay(1_000), editable });
  const manager = by('Ines Calder');
  const before = await read(from, id);
  for (const edits of [{ amount: 901 }, { amount: '5' }, { to: 'me' }, { amount: 5, to: 'me' }, { __proto__x: 1 }]) {
    const answer = await respond(manager, id, 'approve', { edits });
    t.is(answer.status, 422, JSON.stringify([edits, answer.body]));
    t.is(answer.body.code, 'invalid_edits');
  }
  t.is((await respond(manager, id, 'reject', { edits: { amount: 5 } })).body.code, 'invalid_edits');
  t.deepEqual(await read(from, id), before, 'refused edits change nothing');
  const answer = await respond(manager, id, 'approve', { edits: { amount: 500 }, comment: 'less will do' });
  t.is(answer.body.status, 'approved', JSON.stringify(answer.body));
  t.deepEqual(answer.body['action'], pay(500));
  t.not(answer.body.digest, before.digest);
  t.like(answer.body.votes[0], { edited: true, verdict: 'approve', comment: 'less will do' });
  t.is((await from.post(`/approvals/${id}/redeem`, { action: pay(1_000) })).body.code, 'action_mismatch');
  t.is((await from.post(`/approvals/${id}/redeem`, { action: pay(500) })).status, 200);
  const fixed = await asked(from, { approver_role: 'manager', action: pay(1_000) });
  t.is((await respond(manager, fixed, 'approve', { edits: { amount: 1 } })).body.code, 'invalid_edits');
});

test('APPR-6: an edit drops earlier votes, for those approved something else', async (t) => {
  const from = by('finance-agent');
  const editable = { type: 'object', properties: { amount: { type: 'number' } } };
  const id = await asked(from, { approvers: { roles: ['manager'], quorum: 2 }, action: pay(1_000), editable });
  t.is((await respond(by('Ines Calder'), id, 'approve')).body.status, 'pending');
  const edited = await respond(by('Marcus Oduya'), id, 'approve', { edits: { amount: 2_000 } });
  t.is(edited.body.status, 'pending');
  t.is(edited.body.votes.length, 1);
  t.is((await respond(by('Ines Calder'), id, 'approve')).body.status, 'approved', 'and may approve the edited one');
});

test('APPR-6: edits that raise the amount meet the conditions of the policy anew', async (t) => {
  const from = by('finance-agent');
  const editable = { type: 'object', properties: { amount: { type: 'number' } } };
  const id = await asked(from, { approvers: { policy: 'spend' }, action: pay(20_000), editable });
  const edited = await respond(by('Ines Calder'), id, 'approve', { edits: { amount: 60_000 } });
  t.is(edited.body.status, 'pending', 'over 50,000 finance has to agree too');
  t.is((await respond(by('Priya Lindqvist'), id, 'approve')).body.status, 'approved');
});

test('APPR-3: an approver who approved and approves again with edits is not told that the edits were taken', async (t) => {
  const from = by('finance-agent');
  const editable = { type: 'object', properties: { amount: { type: 'number' } } };
  const id = await asked(from, { approvers: { roles: ['manager'], quorum: 2 }, action: pay(1_000), editable });
  await respond(by('Ines Calder'), id, 'approve');
  const again = await respond(by('Ines Calder'), id, 'approve', { edits: { amount: 5 } });
  t.is(again.status, 409, `it is not the same decision: ${JSON.stringify(again.body['action'])}`);
});

test('APPR-3: the same decision again is answered as before; another one says by whom and when', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approver_role: 'manager' });
  const manager = by('Ines Calder');
  const first = await respond(manager, id, 'reject', { comment: 'no budget' });
  t.is(first.body.status, 'rejected');
  t.is((await respond(manager, id, 'rejected')).status, 200);
  for (const [who, decision] of [
    [manager, 'approve'],
    [by('Marcus Oduya'), 'approve'],
    [by('Marcus Oduya'), 'reject'],
  ] as const) {
    const answer = await respond(who, id, decision);
    t.is(answer.status, 409, JSON.stringify(answer.body));
    t.like(answer.body, { code: 'approval_already_decided', state: 'rejected', decided_by: manager.id });
    t.is(answer.body['decided_at'], first.body.votes[0]?.['at']);
  }
  t.is((await read(from, id)).votes.length, 1);
  const open = await asked(from, { approvers: { roles: ['manager'], quorum: 2 } });
  await respond(manager, open, 'approve');
  t.is((await respond(manager, open, 'approve')).status, 200);
  t.is((await respond(manager, open, 'reject')).body.code, 'approval_already_decided');
  t.is((await read(from, open)).votes.length, 1);
});

test('APPR-3: a stranger is told that it is not an approver; readers only read', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approver_role: 'manager' });
  for (const name of ['Lucia Petrov', 'legal-agent', 'finance-agent', 'manager-agent']) {
    const answer = await respond(by(name), id, 'approve');
    t.is(answer.status, 403, name);
    t.is(answer.body.code, 'not_an_approver');
  }
  t.is((await by('Lucia Petrov').get(`/approvals/${id}`)).status, 404);
  const legal = await asked(from, { approver_role: 'legal' });
  t.is((await respond(by('Helena Voss'), legal, 'approve')).body.code, 'not_an_approver', 'not even an administrator');
  t.is((await by('Helena Voss').get(`/approvals/${legal}`)).status, 200);
  const record = await by('Helena Voss').get(`/audit?subject_id=${id}&action=policy.refused`);
  t.is(record.body.events.length, 4);
});

test('APPR-3: after it expired a decision is told so; silence never approves', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approver_role: 'manager', due_in: '1s', action: pay(1) });
  await until(from, id, 'expired');
  const answer = await respond(by('Ines Calder'), id, 'approve');
  t.is(answer.status, 410, JSON.stringify(answer.body));
  t.is(answer.body.code, 'approval_expired');
  t.is((await from.post(`/approvals/${id}/redeem`, { action: pay(1) })).status, 410);
  t.is((await from.post(`/approvals/${id}/revise`, { reason: 'x' })).status, 410);
  t.is((await from.post(`/approvals/${id}/withdraw`)).status, 410);
  t.truthy((await from.get('/notifications')).body.notifications.find((note) => note['subject_id'] === id));
});

test('APPR-3, APPR-4: changes are requested, the request is revised, votes start anew', async (t) => {
  const from = by('finance-agent');
  const manager = by('Ines Calder');
  const id = await asked(from, { approvers: { roles: ['manager'], quorum: 2 }, action: pay(10), evidence: { a: 1 } });
  await respond(by('Marcus Oduya'), id, 'approve');
  t.is(
    (await respond(manager, id, 'request_changes', { comment: 'which supplier?' })).body.status,
    'changes_requested',
  );
  t.is((await respond(by('Helena Voss'), id, 'approve')).body.code, 'illegal_transition');
  t.is((await manager.post(`/approvals/${id}/revise`, { reason: 'x' })).status, 403);
  const revised = await from.post(`/approvals/${id}/revise`, { reason: 'Acme', action: pay(20) });
  t.like(revised.body, { status: 'pending', revision: 2, reason: 'Acme', evidence: { a: 1 } });
  t.deepEqual(revised.body.votes, []);
  t.is((await respond(manager, id, 'approve')).body.status, 'pending');
  t.is((await respond(by('Marcus Oduya'), id, 'approve')).body.status, 'approved');
  t.is((await from.post(`/approvals/${id}/redeem`, { action: pay(10) })).body.code, 'action_mismatch');
});

test('APPR-4: the requester withdraws; nobody decides afterwards', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approver_role: 'manager', action: pay(1) });
  t.is((await by('Ines Calder').post(`/approvals/${id}/withdraw`)).status, 403);
  t.is((await from.post(`/approvals/${id}/withdraw`, { reason: 'mistake' })).body.status, 'withdrawn');
  t.is((await respond(by('Ines Calder'), id, 'approve')).body.code, 'approval_already_decided');
  t.is((await from.post(`/approvals/${id}/redeem`, { action: pay(1) })).body.code, 'not_approved');
});

test('APPR-4: reminders come, then the managers above are asked, with time to answer', async (t) => {
  const from = by('legal-agent');
  const approvers = { users: users(['Owen Tashiro']) };
  const id = await asked(from, { approvers, due_in: '3s', remind_every: '1s', on_expiry: 'escalate' });
  const escalated = await eventually(
    () => read(from, id),
    (one) => one['escalations'] === 1,
  );
  t.deepEqual([...escalated.waiting_for].sort(), users(['Owen Tashiro', 'Tobias Renn']).sort());
  const reminders = (await by('Owen Tashiro').get('/notifications')).body.notifications.filter(
    (note) => note['subject_id'] === id && note['title'] === 'Approval waits for you',
  );
  t.true(reminders.length >= 1, String(reminders.length));
  t.is((await respond(by('Tobias Renn'), id, 'approve')).body.status, 'approved');
  const atTop = await asked(from, {
    approvers: { users: users(['Helena Voss']) },
    due_in: '1s',
    on_expiry: 'escalate',
  });
  t.is((await until(from, atTop, 'expired')).status, 'expired', 'there is nobody above the top');
});

test('APPR-4: a delegate decides on behalf of an approver, on the record', async (t) => {
  const from = by('finance-agent');
  const [person, delegate] = [by('Noor Halvorsen'), by('Jonas Adeyemi')];
  const valid_until = new Date(Date.now() + 3_600_000).toISOString();
  const given = await person.post('/delegations', { delegate_id: delegate.id, valid_until, absent: true });
  t.is(given.status, 201, JSON.stringify(given.body));
  const id = await asked(from, { approvers: { users: [person.id] } });
  const inbox = await delegate.get<Body[]>('/approvals?status=pending&assignee=me');
  t.true(
    inbox.body.some((one) => one.id === id),
    'it waits for the delegate too',
  );
  t.is((await delegate.get(`/approvals/${id}`)).status, 200);
  const answer = await respond(delegate, id, 'approve');
  t.is(answer.body.status, 'approved', JSON.stringify(answer.body));
  t.like(answer.body.votes[0], { by: delegate.id, on_behalf_of: person.id });
  const { events } = (await by('Helena Voss').get(`/audit?subject_id=${id}&action=approval.decided`)).body;
  t.like(events[0], { actor: delegate.id, on_behalf_of: person.id });
  const own = await asked(delegate, { approvers: { users: [person.id] } });
  t.is((await respond(delegate, own, 'approve')).body.code, 'not_an_approver', 'nor one own request as a delegate');
  const circle = await delegate.post('/delegations', { delegate_id: person.id, valid_until });
  t.is(circle.status, 409, JSON.stringify(circle.body));
  t.is((await person.post('/delegations', { delegate_id: person.id, valid_until })).status, 409);
  t.is((await delegate.delete(`/delegations/${given.body.id}`)).status, 404, 'only who gave it ends it');
  t.is((await person.delete(`/delegations/${given.body.id}`)).status, 200);
  const after = await asked(from, { approvers: { users: [person.id] } });
  t.is((await respond(delegate, after, 'approve')).body.code, 'not_an_approver');
});

test('APPR-4: a delegation that has run out, or not begun, gives nothing; agents do not delegate', async (t) => {
  const from = by('finance-agent');
  const [person, delegate] = [by('Greta Mbeki'), by('Lucia Petrov')];
  const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
  t.is((await person.post('/delegations', { delegate_id: delegate.id, valid_until: at(3) })).status, 201);
  t.is(
    (await person.post('/delegations', { delegate_id: delegate.id, valid_from: at(3_600), valid_until: at(7_200) }))
      .status,
    201,
  );
  await new Promise((resolve) => setTimeout(resolve, 3_200));
  const id = await asked(from, { approvers: { users: [person.id] } });
  t.is((await respond(delegate, id, 'approve')).body.code, 'not_an_approver');
  t.is((await person.post('/delegations', { delegate_id: delegate.id, valid_until: at(-1) })).status, 400);
  t.is((await from.post('/delegations', { delegate_id: delegate.id, valid_until: at(60) })).status, 403);
});

test('APPR-4: two who delegate to each other at once make no circle', async (t) => {
  const [a, b] = [by('Owen Tashiro'), by('Priya Lindqvist')];
  const valid_until = new Date(Date.now() + 3_600_000).toISOString();
  const answers = await Promise.all([
    a.post('/delegations', { delegate_id: b.id, valid_until }),
    b.post('/delegations', { delegate_id: a.id, valid_until }),
  ]);
  t.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
  for (const [at, who] of [a, b].entries()) await who.delete(`/delegations/${answers[at]?.body.id ?? ''}`);
});

test('APPR-5: an unknown word, a malformed body or a GET decides nothing', async (t) => {
  const from = by('finance-agent');
  const manager = by('Ines Calder');
  const id = await asked(from, { approver_role: 'manager' });
  for (const body of [
    { decision: 'yes' },
    { decision: 'APPROVE ' },
    { decision: true },
    { decision: ['approve'] },
    { decision: '' },
    {},
    { approve: true },
    { decision: 'approve', unknown: 1 },
    'approve',
    '{"decision":"approve"',
  ]) {
    const answer = await manager.post(`/approvals/${id}/respond`, body);
    t.is(answer.status, 400, JSON.stringify([body, answer.body]));
  }
  for (const path of [
    `/approvals/${id}`,
    `/approvals/${id}/respond`,
    `/approvals/${id}/respond?decision=approve`,
    `/approvals?decision=approve`,
  ])
    for (const method of ['GET', 'HEAD'])
      await fetch(stack.apiUrl + path, { method, headers: { authorization: `Bearer ${manager.key}` } });
  t.is((await manager.get(`/approvals/${id}/respond`)).status, 405);
  t.like(await read(from, id), { status: 'pending', votes: [] });
});

test('APPR-6: an approval is redeemed once, for exactly its action, by who asked, only when approved', async (t) => {
  const from = by('finance-agent');
  const action = { ...pay(7, { mail: 'ann@example.com' }), target: 'bank' };
  const id = await asked(from, { approver_role: 'manager', action });
  const redeem = (who: Caller, what: unknown): Promise<Answer<Body>> =>
    who.post(`/approvals/${id}/redeem`, { action: what });
  const early = await redeem(from, action);
  t.is(early.status, 409);
  t.is(early.body.code, 'not_approved');
  await respond(by('Ines Calder'), id, 'approve');
  for (const other of [
    pay(7),
    { ...action, tool: 'Pay' },
    { ...action, arguments: { ...action.arguments, amount: 7.01 } },
    { ...action, target: 'x' },
  ])
    t.is((await redeem(from, other)).body.code, 'action_mismatch', JSON.stringify(other));
  for (const name of ['hr-agent', 'Ines Calder', 'Helena Voss'])
    t.is((await redeem(by(name), action)).status, 403, name);
  const reordered = {
    target: 'bank',
    arguments: { mail: 'ann@example.com', to: 'supplier', amount: 7.0 },
    tool: 'pay',
  };
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => redeem(from, reordered)));
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409]);
  t.deepEqual(
    [...new Set(answers.filter(({ status }) => status === 409).map(({ body }) => body.code))],
    ['already_redeemed'],
  );
  t.is((await redeem(from, action)).body.code, 'already_redeemed');
  const receipt = answers.find(({ status }) => status === 200)?.body;
  t.deepEqual(receipt?.['action'], action);
  t.deepEqual(receipt?.['approved_by'], [by('Ines Calder').id]);
  t.is((await read(from, id))['redeemed_at'], receipt?.['redeemed_at']);
});

test('APPR-6: a lost answer of a redemption is repeated with its key, not refused', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approver_role: 'manager', action: pay(3) });
  await respond(by('Ines Calder'), id, 'approve');
  const key = { 'idempotency-key': `redeem-${id}` };
  const first = await from.post(`/approvals/${id}/redeem`, { action: pay(3) }, key);
  const again = await from.post(`/approvals/${id}/redeem`, { action: pay(3) }, key);
  t.is(first.status, 200);
  t.deepEqual(again.body, first.body);
});

test('APPR-6: an approval that is bound to no action is not redeemed, and is told so', async (t) => {
  const from = by('finance-agent');
  const id = await asked(from, { approver_role: 'manager' });
  await respond(by('Ines Calder'), id, 'approve');
  const answer = await from.post(`/approvals/${id}/redeem`, { action: pay(1) });
  t.is(answer.status, 409, JSON.stringify(answer.body));
  t.is(answer.body.code, 'not_approved');
  const rejected = await asked(from, { approver_role: 'manager', action: pay(1) });
  await respond(by('Ines Calder'), rejected, 'reject');
  t.is((await from.post(`/approvals/${rejected}/redeem`, { action: pay(1) })).body.code, 'not_approved');
});

test('COMPAT-1, COMPAT-2: a decision by task, as older clients send it', async (t) => {
  const from = by('finance-agent');
  const { body: task } = await from.post('/tasks/route', { target: 'hr', type: 'x' });
  const { task_id } = task;
  const manager = by('Ines Calder');
  t.is((await manager.post('/approvals', { task_id, decision: 'approved' })).status, 404, 'none waits yet');
  const first = await from.post('/approvals', { task_id, approver_role: 'manager', reason: 'r', decision: 'pending' });
  t.is(first.status, 202, JSON.stringify(first.body));
  const second = await asked(from, { task_id, approver_role: 'manager' });
  const ambiguous = await manager.post('/approvals', { task_id, decision: 'approved' });
  t.is(ambiguous.status, 409);
  t.deepEqual(ambiguous.body.approvals as unknown, [first.body.approval_id, second]);
  const named = await manager.post('/approvals', { approval_id: second, decision: 'denied', comments: 'no' });
  t.is(named.body.status, 'rejected', JSON.stringify(named.body));
  t.is(named.body.votes[0]?.['comment'], 'no');
  t.is((await manager.post('/approvals', { task_id, decision: 'approved' })).body.status, 'approved');
  t.is((await manager.post('/approvals', { decision: 'approved' })).status, 400);
  t.is((await manager.post('/approvals', { task_id, decision: 'maybe' })).status, 400);
});

test('APPR-3: operators decide by signal; a malformed one decides nothing', async (t) => {
  const from = by('finance-agent');
  const manager = by('Ines Calder');
  const id = await asked(from, { approver_role: 'manager' });
  const handle = stack.client.workflow.getHandle(`approval:${stack.organisationId}:${id}`);
  for (const bad of [
    undefined,
    null,
    'approve',
    7,
    {},
    { decision: 'yes', user_id: manager.id },
    { decision: 'approve' },
    { decision: 'approve', user_id: by('Lucia Petrov').id },
    { decision: 'approve', user_id: from.id },
  ])
    await handle.signal('decision', bad);
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.like(await read(from, id), { status: 'pending', votes: [] });
  await handle.signal('decision', { decision: 'approve', user_id: manager.id });
  t.is((await until(from, id, 'approved')).votes[0]?.['by'], manager.id);
});

test('APPR-7: several gates of one task are independent', async (t) => {
  const from = by('finance-agent');
  const { body: task } = await from.post('/tasks/route', { target: 'hr', type: 'x' });
  const ids = await Promise.all(
    ['manager', 'legal', 'hr'].map((role) => asked(from, { task_id: task.task_id, approver_role: role })),
  );
  t.is((await respond(by('Felix Amaro'), ids[1] ?? '', 'reject')).body.status, 'rejected');
  t.is((await respond(by('Samir Dunne'), ids[2] ?? '', 'approve')).body.status, 'approved');
  const { body } = await from.get(`/status/${task.task_id}`);
  t.deepEqual(
    body.approvals.map(({ status }) => status),
    ids.map((id) => ({ [ids[0] ?? '']: 'pending', [ids[1] ?? '']: 'rejected' })[id] ?? 'approved'),
  );
});

test('APPR-7: the inbox holds what waits for me, until I decide', async (t) => {
  const from = by('legal-agent');
  const approver = by('Priya Lindqvist');
  const id = await asked(from, { approvers: { roles: ['finance'], quorum: 2 } });
  const mine = async (who: Caller): Promise<boolean> =>
    (await who.get<Body[]>('/approvals?status=pending&assignee=me&limit=200')).body.some((one) => one.id === id);
  t.true(await mine(approver));
  t.true((await approver.get('/inbox')).body.approvals.some((one) => one.id === id));
  t.false(await mine(by('Ines Calder')));
  await respond(approver, id, 'approve');
  t.false(await mine(approver));
  t.true(await mine(by('Owen Tashiro')));
});

test('APPR-2: decisions of five people at once are counted right', async (t) => {
  const from = by('legal-agent');
  const names = [...FINANCE, ...MANAGERS.slice(0, 2)];
  const id = await asked(from, { approvers: { users: users(names), quorum: 5 } });
  const answers = await Promise.all(names.map((name) => respond(by(name), id, 'approve')));
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
    JSON.stringify(answers.map(({ body }) => body)),
  );
  const after = await read(from, id);
  t.is(after.status, 'approved');
  t.is(new Set(after.votes.map((vote) => vote['by'])).size, 5);
  const mixed = await asked(from, { approvers: { users: users(names) } });
  const race = await Promise.all(names.map((name, at) => respond(by(name), mixed, at % 2 ? 'approve' : 'reject')));
  t.is(race.filter(({ status }) => status === 200).length, 1, JSON.stringify(race.map(({ body }) => body.code)));
  t.true(race.filter(({ status }) => status !== 200).every(({ body }) => body.code === 'approval_already_decided'));
});

test('APPR-1, GUARD-4: personal values in reason, evidence and action are masked for whoever is not cleared', async (t) => {
  const from = by('finance-agent');
  const iban = 'DE89370400440532013000';
  const id = await asked(from, {
    approver_role: 'manager',
    reason: `pay ${iban}`,
    evidence: { iban },
    action: pay(1, { iban }),
  });
  t.true(JSON.stringify(await read(from, id)).includes(iban));
  t.false(JSON.stringify(await read(by('Ines Calder'), id)).includes(iban));
});
