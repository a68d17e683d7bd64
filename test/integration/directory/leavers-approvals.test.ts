import test from 'ava';

import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { eventually, rest } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
const by = (name: string): Caller => callerOf(stack, name);
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack();
});
test.after.always(() => stack.close());

async function good(answer: Promise<{ status: number; body: Body }>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body;
}
const action = { tool: 'pay', arguments: { amount: 20_000 } };
const editable = { type: 'object', properties: { amount: { type: 'number' } } };
const ask = async (approvers: unknown): Promise<string> =>
  (await good(by('hr-agent').post('/approvals', { subject: 'Spend', approvers, action, editable }))).approval_id;
const respond = (who: Caller, id: string, more: Record<string, unknown> = {}) =>
  who.post(`/approvals/${id}/respond`, { decision: 'approve', ...more });
const approvalOf = async (id: string): Promise<Body> => (await by('Helena Voss').get(`/approvals/${id}`)).body;
const leaves = async (who: Caller): Promise<void> => {
  const { status } = await rest(stack.apiUrl, by('Helena Voss').key, 'DELETE', `/scim/v2/Users/${who.id}`);
  if (status !== 204) throw new Error(String(status));
};
const notAsked = (id: string, who: Caller): Promise<Body> =>
  eventually(
    () => approvalOf(id),
    ({ waiting_for }) => !waiting_for.includes(who.id),
  );
const waiting = async (id: string): Promise<string[]> => [...(await approvalOf(id)).waiting_for].sort();

// Priya Lindqvist and Owen Tashiro report to Tobias Renn, he to Helena Voss.
test.serial(
  'DIR-1, APPR-1: an approval that names somebody who left is edited, revised and decided by delegates',
  async (t) => {
    const [gone, manager, legal] = [by('Priya Lindqvist'), by('Tobias Renn'), by('Felix Amaro')];
    const alone = await ask({ users: [gone.id] });
    const both = await ask({ users: [gone.id, legal.id], rule: 'all' });
    const delegated = await ask({ users: [gone.id, legal.id], rule: 'all' });
    const revised = await ask({ users: [gone.id, legal.id], rule: 'all' });
    const voted = await ask({ users: [gone.id, legal.id], rule: 'all' });
    t.is((await good(respond(gone, voted))).status, 'pending');
    await leaves(gone);
    for (const id of [alone, both, delegated, revised]) await notAsked(id, gone);

    const edited = await respond(manager, alone, { edits: { amount: 15_000 } });
    t.is(edited.status, 200, JSON.stringify(edited.body));
    t.is(edited.body.status, 'approved');

    // An edit has everybody asked anew: who stands in, and never only the one who edited.
    t.is((await good(respond(legal, both, { edits: { amount: 15_000 } }))).status, 'pending');
    t.deepEqual(await waiting(both), [manager.id]);
    t.is((await good(respond(manager, both))).status, 'approved');

    const valid_until = new Date(Date.now() + 3_600_000).toISOString();
    await good(legal.post('/delegations', { delegate_id: by('Noor Halvorsen').id, valid_until }));
    t.is((await good(respond(by('Noor Halvorsen'), delegated))).status, 'pending');
    t.deepEqual(await waiting(delegated), [manager.id]);
    t.is((await good(respond(manager, delegated))).status, 'approved');

    await good(respond(legal, revised, { decision: 'request_changes', comment: 'why?' }));
    await good(by('hr-agent').post(`/approvals/${revised}/revise`, { reason: 'because' }));
    t.deepEqual(await waiting(revised), [legal.id, manager.id].sort());
    t.is((await good(respond(legal, revised))).status, 'pending');
    t.is((await good(respond(manager, revised))).status, 'approved');

    // The vote of somebody who left counts for what they saw; after an edit, who stands in has to answer.
    t.is((await good(respond(legal, voted, { edits: { amount: 15_000 } }))).status, 'pending');
    t.deepEqual(await waiting(voted), [manager.id]);
    t.is((await good(respond(manager, voted))).status, 'approved');
  },
);

test.serial('DIR-1, APPR-1: who stands in for one approver never stands in for another', async (t) => {
  const [gone, manager] = [by('Owen Tashiro'), by('Tobias Renn')];
  const [chief, legal] = [by('Noor Halvorsen'), by('Felix Amaro')];
  const id = await ask({ users: [gone.id, chief.id, legal.id], rule: 'all' });
  await leaves(gone);
  await notAsked(id, gone);
  t.is((await good(respond(manager, id, { edits: { amount: 1 } }))).status, 'pending');
  t.deepEqual(await waiting(id), [chief.id, legal.id].sort());
  t.is((await good(respond(legal, id))).status, 'pending', 'the stand-in is no chief');
  t.is((await good(respond(chief, id))).status, 'approved');
});

test.serial('APPR-1: a request that names somebody who has left is refused', async (t) => {
  const [gone] = [by('Priya Lindqvist')];
  const refused = await by('hr-agent').post('/approvals', { subject: 's', approvers: { users: [gone.id] } });
  t.is(refused.status, 422);
  t.is(refused.body.code, 'unknown_target');
});
