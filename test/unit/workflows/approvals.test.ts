import test from 'ava';
import fc from 'fast-check';

import type { Requirement } from '../../../contracts/approval-policy.ts';
import type { ApprovalStatus, Verdict } from '../../../contracts/approvals.ts';
import { attainable, satisfied, usersOf, withOthers } from '../../../contracts/requirement.ts';
import {
  ballotOf,
  closedRefusal,
  decisionRefusal,
  nextApproval,
  nextDeadline,
  redemptionRefusal,
  REDEEM_AT_LEAST_MS,
  repeats,
  requesterRefusal,
  waitingFor,
} from '../../../workflows/approvals/state.ts';
import type { Approval } from '../../../workflows/approvals/state.ts';
import {
  compiled,
  decide,
  decisionOf,
  DIGEST,
  fewestPeople,
  opened,
  PEOPLE,
  play,
  REQUESTER,
  requirements,
  stories,
  voters,
} from './approval-model.ts';
import { agent, person, RUNS, START } from './arbitraries.ts';

const anyOf = (...users: string[]): Requirement => ({ label: 'any', need: 1, users });
const allOf = (...parts: Requirement[]): Requirement => ({ label: 'all', need: parts.length, parts });
const approve = (approval: Approval, id: string): Approval => decide(approval, decisionOf(person(id), 'approve'));
const redemption = (id: string, digest = DIGEST) => ({
  redemption_id: id,
  actor: REQUESTER,
  trace_id: 'trace',
  digest,
});

test('APPR-2: an approval is approved exactly when different approvers who said yes satisfy the requirement', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, after } of play(story)) {
        if (after.status === before.status) continue;
        if (after.status !== 'approved') continue;
        const yes = after.ballots.filter((ballot) => ballot.verdict === 'approve').map((ballot) => ballot.counts_for);
        if (!satisfied(after.compiled.requirement, new Set(yes))) return false;
        if (after.ballots.some((ballot) => ballot.verdict !== 'approve')) return false;
        if (!yes.every((user) => usersOf(after.compiled.requirement).includes(user))) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-2: a requirement takes as many different people as it says, and more approvals never make it less', (t) => {
  fc.assert(
    fc.property(requirements, fc.subarray([...PEOPLE]), fc.constantFrom(...PEOPLE), (requirement, some, more) => {
      const enough = satisfied(requirement, new Set(some));
      if (enough && !satisfied(requirement, new Set([...some, more]))) return false;
      return (
        !('users' in requirement) ||
        enough === some.filter((u) => requirement.users.includes(u)).length >= requirement.need
      );
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-2: neither the requester, nor the person behind it, nor another assistant of that person decides', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { after } of play(story)) {
        const own = [REQUESTER, person('user_requester'), agent('agent_of_requester', { acts_for: 'user_requester' })];
        for (const actor of own)
          if (decisionRefusal(after, decisionOf(actor, 'approve'))?.code !== 'not_an_approver') return false;
        if (after.ballots.some(({ by, counts_for }) => [by, counts_for].some((id) => id.includes('requester'))))
          return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-2: agents decide only where the request says so', (t) => {
  const assistant = decisionOf(agent('agent_of_1', { acts_for: 'user_1' }), 'approve');
  t.is(decisionRefusal(opened(anyOf('user_1')), assistant)?.code, 'not_an_approver');
  t.is(decide(opened(anyOf('user_1'), { agents_may_decide: true }), assistant).status, 'approved');
});

test('APPR-2: two of three: the second approver decides, and the same one twice does not', (t) => {
  const once = approve(opened({ label: 'two', need: 2, users: ['user_1', 'user_2', 'user_3'] }), 'user_1');
  t.is(approve(once, 'user_1').status, 'pending');
  t.deepEqual(waitingFor(once), ['user_2', 'user_3']);
  t.is(approve(once, 'user_3').status, 'approved');
});

test('APPR-2: one person, through an assistant or as a delegate, is not two of a quorum', (t) => {
  const two: Requirement = { label: 'two', need: 2, users: ['user_1', 'user_2'] };
  const first = approve(opened(two, { agents_may_decide: true }), 'user_1');
  const assistant = decisionOf(agent('agent_of_1', { acts_for: 'user_1' }), 'approve');
  t.is(decide(first, assistant).status, 'pending');
  const delegated = { decision: assistant, checked: { on_behalf_of: 'user_2', edited: null } };
  t.is(nextApproval(first, { type: 'decide', ...delegated }, START).status, 'pending');
});

test('APPR-3: one rejection rejects; a request for changes waits for the requester and drops the votes', (t) => {
  const two = opened({ label: 'two', need: 2, users: ['user_1', 'user_2'] });
  t.is(decide(two, decisionOf(person('user_1'), 'reject')).status, 'rejected');
  const asked = decide(approve(two, 'user_1'), decisionOf(person('user_2'), 'request_changes'));
  t.is(asked.status, 'changes_requested');
  t.is(decisionRefusal(asked, decisionOf(person('user_1'), 'reject'))?.code, 'illegal_transition');
  const revision = { actor: REQUESTER, trace_id: 'trace', content: 'cont_2' };
  const revised = nextApproval(asked, { type: 'revise', revision, compiled: asked.compiled }, START);
  t.like(revised, { status: 'pending', revision: 2, ballots: [] });
});

test('APPR-3: a decided approval refuses with who decided and when, and an expired one as expired', (t) => {
  fc.assert(
    fc.property(stories, voters, (story, actor) => {
      for (const { after } of play(story)) {
        if (after.status === 'pending' || after.status === 'changes_requested') continue;
        const code = closedRefusal(after)?.code;
        if (code !== (after.status === 'expired' ? 'approval_expired' : 'approval_already_decided')) return false;
        if (decide(after, decisionOf(actor, 'approve')).status !== after.status) return false;
        if (requesterRefusal(after, REQUESTER)?.code !== code) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-3: the same decision again changes nothing, another one by the same person is refused', (t) => {
  const two = opened({ label: 'two', need: 2, users: ['user_1', 'user_2'] });
  const once = approve(two, 'user_1');
  t.true(repeats(once, decisionOf(person('user_1'), 'approve')));
  const other = decisionOf(person('user_1'), 'reject');
  t.false(repeats(once, other));
  t.is(decisionRefusal(once, other)?.code, 'approval_already_decided');
});

test('APPR-3: the same approval with edits is another decision', (t) => {
  const once = approve(opened({ label: 'two', need: 2, users: ['user_1', 'user_2'] }), 'user_1');
  t.false(repeats(once, decisionOf(person('user_1'), 'approve', true)));
});

test('APPR-3: edits drop the votes for what was not edited, and only an approval carries them', (t) => {
  const two = opened({ label: 'two', need: 2, users: ['user_1', 'user_2', 'user_3'] });
  const edited = decide(approve(two, 'user_1'), decisionOf(person('user_2'), 'approve', true));
  t.is(edited.status, 'pending');
  t.deepEqual(
    edited.ballots.map((ballot) => ballot.by),
    ['user_2'],
  );
  t.is(edited.content, 'cont_edited');
  t.is(ballotOf(edited, person('user_1')), undefined);
  t.is(approve(edited, 'user_1').status, 'approved');
  t.is(decisionRefusal(two, decisionOf(person('user_1'), 'reject', true))?.code, 'invalid_edits');
});

test('APPR-4: escalation asks the managers too and never lowers how many people it takes', (t) => {
  fc.assert(
    fc.property(requirements, (requirement) => {
      fc.pre(attainable(requirement));
      const before = fewestPeople(requirement, (set) => satisfied(requirement, set));
      const after = withOthers(requirement, ['user_manager']);
      return fewestPeople(after, (set) => satisfied(after, set)) >= before;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-4: finance and manager stay two people when both were silent and have the same manager', (t) => {
  const both = allOf(anyOf('user_1'), anyOf('user_2'));
  const escalated = nextApproval(opened(both), { type: 'escalate', managers: ['user_manager'] }, START);
  t.like(escalated, { status: 'pending', escalations: 1, due: START + 86_400_000 });
  t.is(approve(escalated, 'user_manager').status, 'pending');
});

test('APPR-4: a reminder comes before the due time and again, but never after it', (t) => {
  const approval = opened(anyOf('user_1'), { remind_seconds: 50_000 });
  t.deepEqual(nextDeadline(approval), { kind: 'remind', at: START + 50_000_000 });
  const reminded = nextApproval(approval, { type: 'remind' }, START + 50_000_000);
  t.deepEqual(nextDeadline(reminded), { kind: 'due', at: START + 86_400_000 });
});

test('APPR-5: without an approver who says yes, nothing that happens ever approves', (t) => {
  const silent = stories.map((story) => ({
    ...story,
    steps: story.steps.map(([what, wait]) => {
      const verdict: Verdict = 'request_changes';
      return [typeof what === 'string' ? what : { ...what, verdict }, wait] as (typeof story.steps)[number];
    }),
  }));
  const never: readonly ApprovalStatus[] = ['approved'];
  fc.assert(
    fc.property(silent, (story) => {
      for (const { after } of play(story)) {
        if (never.includes(after.status)) return false;
        if (redemptionRefusal(after, redemption('r'), START) === undefined) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-5: what has ended stays ended: no event brings an approval back', (t) => {
  const ended: readonly ApprovalStatus[] = ['approved', 'rejected', 'withdrawn', 'expired'];
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, after } of play(story)) {
        if (ended.includes(before.status) && after.status !== before.status) return false;
        if (before.closed && JSON.stringify(after) !== JSON.stringify(before)) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-6: an approved action is redeemed once, by the requester, for its digest and in time', (t) => {
  const approved = approve(opened(anyOf('user_1'), { due_seconds: 60 }), 'user_1');
  t.is(redemptionRefusal(approved, redemption('r1'), START), undefined);
  t.is(redemptionRefusal(approved, redemption('r1', 'sha256:other'), START)?.code, 'action_mismatch');
  t.is(redemptionRefusal(approved, { ...redemption('r1'), actor: person('user_1') }, START)?.code, 'forbidden');
  const late = START + REDEEM_AT_LEAST_MS + 1;
  t.is(redemptionRefusal(approved, redemption('r1'), late)?.code, 'approval_expired');
  const redeemed = nextApproval(approved, { type: 'redeem', redemption: redemption('r1') }, START);
  t.true(redeemed.closed);
  t.is(redemptionRefusal(redeemed, redemption('r2'), START)?.code, 'already_redeemed');
  t.is(redemptionRefusal(redeemed, redemption('r1'), START), undefined);
});

test('APPR-6: a repeated redemption is answered again only for the digest it was redeemed with', (t) => {
  const approved = approve(opened(anyOf('user_1')), 'user_1');
  const redeemed = nextApproval(approved, { type: 'redeem', redemption: redemption('r1') }, START);
  t.not(redemptionRefusal(redeemed, redemption('r1', 'sha256:other'), START), undefined);
});

test('APPR-6: whatever the story, nothing is redeemable that is not approved, and nothing twice', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      let redeemed = 0;
      for (const { before, after, now } of play(story)) {
        const possible = redemptionRefusal(after, redemption('fresh'), now) === undefined;
        if (possible && (after.status !== 'approved' || after.redeemed !== null)) return false;
        if (before.redeemed === null && after.redeemed !== null) redeemed += 1;
      }
      return redeemed <= 1;
    }),
    RUNS,
  );
  t.pass();
});

test('APPR-6: without an action there is nothing to redeem, and the approval closes at once', (t) => {
  const free = { ...opened(anyOf('user_1')), compiled: compiled(anyOf('user_1'), null) };
  const approved = approve(free, 'user_1');
  t.true(approved.closed);
  t.is(redemptionRefusal(approved, redemption('r1'), START)?.code, 'not_approved');
});

test('APPR-1: by default silence denies: at the due time an approval expires and cannot be decided', (t) => {
  const expired = nextApproval(opened(anyOf('user_1')), { type: 'expire' }, START + 86_400_000);
  t.is(expired.status, 'expired');
  t.is(decisionRefusal(expired, decisionOf(person('user_1'), 'approve'))?.code, 'approval_expired');
  t.is(nextDeadline(expired), undefined);
});
