import fc from 'fast-check';

import type { Actor } from '../../../contracts/actor.ts';
import type { Requirement } from '../../../contracts/approval-policy.ts';
import type {
  ApprovalStart,
  CheckedDecision,
  CompiledApproval,
  Decision,
  Verdict,
} from '../../../contracts/approvals.ts';
import { usersOf } from '../../../contracts/requirement.ts';
import {
  decisionRefusal,
  nextApproval,
  openedApproval,
  personOf,
  redemptionRefusal,
  repeats,
  requesterRefusal,
} from '../../../workflows/approvals/state.ts';
import type { Approval, ApprovalEvent } from '../../../workflows/approvals/state.ts';
import { agent, frozen, milliseconds, person, START } from './arbitraries.ts';

/** People who may be asked; two of them have assistants. */
export const PEOPLE = ['user_1', 'user_2', 'user_3', 'user_4', 'user_5'] as const;
export const REQUESTER = agent('agent_requester', { acts_for: 'user_requester' });
export const DIGEST = 'sha256:approved';

export const voters: fc.Arbitrary<Actor> = fc.constantFrom<Actor>(
  ...PEOPLE.map((id) => person(id)),
  agent('agent_of_1', { acts_for: 'user_1' }),
  agent('agent_of_2', { acts_for: 'user_2' }),
  person('user_outsider'),
  person('user_requester'),
  REQUESTER,
  agent('agent_of_requester', { acts_for: 'user_requester' }),
);

/** How many different people a requirement takes at least, found by trying. */
export function fewestPeople(requirement: Requirement, satisfied: (set: ReadonlySet<string>) => boolean): number {
  const people = usersOf(requirement);
  let fewest = Infinity;
  for (let mask = 0; mask < 1 << people.length; mask += 1) {
    const set = new Set(people.filter((_, index) => (mask >> index) & 1));
    if (set.size < fewest && satisfied(set)) fewest = set.size;
  }
  return fewest;
}

const leaf = fc
  .tuple(fc.subarray([...PEOPLE], { minLength: 1 }), fc.nat(10))
  .map(([users, n]): Requirement => ({ label: 'leaf', users, need: 1 + (n % users.length) }));
const node = fc
  .tuple(fc.array(leaf, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([parts, all]): Requirement => ({ label: 'node', parts, need: all ? parts.length : 1 }));
/** A requirement that enough people are there for. */
export const requirements: fc.Arbitrary<Requirement> = fc.oneof(leaf, node);

export const approvalStart = (more: Partial<ApprovalStart> = {}): ApprovalStart => ({
  organisation_id: 'org_1',
  approval_id: 'appr_1',
  trace_id: 'trace',
  requester: REQUESTER,
  requester_role: 'finance',
  task_id: null,
  session_id: null,
  content: 'cont_1',
  due_seconds: 86_400,
  remind_seconds: 3_600,
  on_expiry: 'deny',
  agents_may_decide: false,
  ...more,
});

export const compiled = (requirement: Requirement, digest: string | null = DIGEST): CompiledApproval => ({
  requirement,
  digest,
  delegates: {},
  policies: [],
});

export const decisionOf = (actor: Actor, verdict: Verdict, edits = false): Decision => ({
  decision_id: `${actor.id}-${verdict}`,
  actor,
  trace_id: 'trace',
  verdict,
  content: null,
  edits,
});

export const opened = (requirement: Requirement, more: Partial<ApprovalStart> = {}): Approval =>
  frozen(openedApproval(approvalStart(more), compiled(requirement), START));

/** What the workflow does with a decision: refuses, repeats, or lets an approver (and nobody else) vote. */
export function decide(approval: Approval, decision: Decision, now = START): Approval {
  if (repeats(approval, decision) || decisionRefusal(approval, decision) !== undefined) return approval;
  const mayVote = usersOf(approval.compiled.requirement).includes(personOf(decision.actor));
  if (!mayVote) return approval;
  const edited = decision.edits ? { content: 'cont_edited', compiled: approval.compiled } : null;
  const checked: CheckedDecision = { on_behalf_of: null, edited };
  return frozen(nextApproval(approval, { type: 'decide', decision, checked }, now));
}

const change = { actor: REQUESTER, trace_id: 'trace' };
const EVENTS: Readonly<Record<string, (approval: Approval, now: number) => ApprovalEvent | undefined>> = {
  revise: (approval) =>
    requesterRefusal(approval, REQUESTER)
      ? undefined
      : { type: 'revise', revision: { ...change, content: 'cont_2' }, compiled: approval.compiled },
  withdraw: (approval) =>
    requesterRefusal(approval, REQUESTER) ? undefined : { type: 'withdraw', withdrawal: { ...change, because: null } },
  redeem: (approval, now) => {
    const redemption = { ...change, redemption_id: `at-${String(now)}`, digest: DIGEST };
    return redemptionRefusal(approval, redemption, now) ? undefined : { type: 'redeem', redemption };
  },
  expire: ({ status }) => (status === 'pending' || status === 'changes_requested' ? { type: 'expire' } : undefined),
  remind: ({ status }) => (status === 'pending' ? { type: 'remind' } : undefined),
};

const vote = fc.tuple(voters, fc.constantFrom<Verdict>('approve', 'approve', 'approve', 'reject', 'request_changes'));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(vote, fc.boolean()).map(([[actor, verdict], edits]) => ({ actor, verdict, edits })),
  },
  { weight: 1, arbitrary: fc.constantFrom('revise', 'withdraw', 'redeem', 'redeem', 'expire', 'remind', 'remind') },
);
export const stories = fc.record({
  requirement: requirements,
  agents_may_decide: fc.boolean(),
  steps: fc.array(fc.tuple(step, milliseconds), { minLength: 3, maxLength: 25 }),
});
export type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never;

/** Plays a story: what is refused does not happen, and a closed approval hears nothing. */
export function* play({ requirement, agents_may_decide, steps }: Story): Generator<{
  readonly before: Approval;
  readonly after: Approval;
  readonly now: number;
}> {
  let now = START;
  let approval = opened(requirement, { agents_may_decide });
  for (const [what, wait] of steps) {
    now += wait;
    const before = approval;
    if (typeof what !== 'string') {
      const edits = what.edits && what.verdict === 'approve';
      approval = decide(before, decisionOf(what.actor, what.verdict, edits), now);
    } else if (!before.closed) {
      const event = EVENTS[what]?.(before, now);
      approval = event ? frozen(nextApproval(before, event, now)) : before;
    }
    yield { before, after: approval, now };
  }
}
