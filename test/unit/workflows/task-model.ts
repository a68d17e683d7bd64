import fc from 'fast-check';

import { SYSTEM } from '../../../contracts/actor.ts';
import type { Actor } from '../../../contracts/actor.ts';
import type { Admission, AllowedVerb, TaskChange, TaskStart } from '../../../contracts/tasks.ts';
import { admittedTask, nextDeadline, nextTask, refusalOf } from '../../../workflows/tasks/state.ts';
import type { Assignee, Task, TaskEvent } from '../../../workflows/tasks/state.ts';
import { agent, frozen, milliseconds, person, START } from './arbitraries.ts';

export const VERBS: readonly AllowedVerb[] = [
  ...(['claim', 'progress', 'complete', 'fail'] as const),
  ...(['decline', 'handoff', 'cancel', 'retry'] as const),
];

/** Everybody who may turn up: the sender, workers of the role, their manager, an administrator, a stranger. */
export const CAST = {
  sender: agent('agent_sender', { role: 'hr', acts_for: 'user_sender' }),
  senderUser: person('user_sender', { role: 'hr' }),
  first: agent('agent_first'),
  second: agent('agent_second'),
  user: person('user_worker'),
  assistant: agent('agent_assistant', { acts_for: 'user_worker' }),
  manager: person('user_manager', { role: 'manager' }),
  administrator: person('user_admin', { role: 'support', administrator: true }),
  stranger: person('user_stranger', { role: 'legal' }),
  system: SYSTEM,
} as const satisfies Record<string, Actor>;

export const actors = fc.constantFrom(...Object.values(CAST));

export const taskStart = (more: Partial<Omit<TaskStart, 'carried'>> = {}): TaskStart => ({
  organisation_id: 'org_1',
  task_id: 'task_1',
  trace_id: 'trace',
  sender: CAST.sender,
  sender_role: 'hr',
  target: 'finance',
  content: 'cont_1',
  skills: [],
  priority: 3,
  session_id: null,
  parent_task_id: null,
  respond_seconds: 600,
  complete_seconds: 7_200,
  lease_seconds: 300,
  max_attempts: 3,
  checks_result: false,
  changes_per_run: 500,
  ...more,
});

export const admission = (assignee: Assignee | null, pauses: readonly string[] = []): Admission => ({
  role: 'finance',
  assignee,
  because: 'test',
  pauses,
  policies: [],
});

/** A change of some kind by somebody, with made-up contents. */
export function changeOf(verb: AllowedVerb, actor: Actor): TaskChange {
  const by = { actor, trace_id: 'trace' };
  switch (verb) {
    case 'claim':
      return { type: verb, ...by, lease_seconds: null };
    case 'progress':
      return { type: verb, ...by, percent: 50, note: null };
    case 'handoff':
      return { type: verb, ...by, target: 'finance', content: 'cont_handoff' };
    case 'retry':
      return { type: verb, ...by };
    default:
      return { type: verb, ...by, content: `cont_${verb}` };
  }
}

const ASSIGNEES = [null, { kind: 'agent', id: 'agent_first' }, { kind: 'user', id: 'user_worker' }] as const;
export const assignees = fc.constantFrom<Assignee | null>(...ASSIGNEES);
export const starts = fc.record({
  max_attempts: fc.integer({ min: 1, max: 4 }),
  respond_seconds: fc.option(fc.integer({ min: 1, max: 86_400 })),
  complete_seconds: fc.option(fc.integer({ min: 1, max: 86_400 })),
  lease_seconds: fc.integer({ min: 1, max: 3_600 }),
  target: fc.constantFrom('finance', 'agent_first'),
});

/** One thing that happens: somebody asks, somebody who may does, something is paused, an assignee is found, or time runs to the next deadline. */
export type Step =
  | { readonly type: 'change'; readonly change: TaskChange }
  | { readonly type: 'attempt'; readonly verb: AllowedVerb; readonly turn: number }
  | { readonly type: 'event'; readonly event: TaskEvent }
  | { readonly type: 'deadline' };

const pauseBy = fc.record({
  type: fc.constant('paused' as const),
  by: fc.constantFrom('session', 'role:finance'),
  paused: fc.boolean(),
});
// What keeps a story going comes more often than what ends it.
const likely = fc.constantFrom<AllowedVerb>(
  ...(['claim', 'claim', 'claim', 'progress', 'fail', 'decline', 'handoff', 'handoff', 'retry', 'retry'] as const),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...VERBS), actors).map(asChange) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('attempt' as const), verb: likely, turn: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.constant<Step>({ type: 'deadline' }) },
  { weight: 1, arbitrary: pauseBy.map((event): Step => ({ type: 'event', event })) },
  { weight: 1, arbitrary: assignees.map(asRouting) },
);
function asChange([verb, actor]: [AllowedVerb, Actor]): Step {
  return { type: 'change', change: changeOf(verb, actor) };
}
function asRouting(assignee: Assignee | null): Step {
  return { type: 'event', event: { type: 'routed', admission: admission(assignee) } };
}

/** What one step did. */
export interface Moment {
  readonly before: Task;
  readonly after: Task;
  readonly now: number;
  readonly event: TaskEvent | undefined;
}

export const stories = fc.record({
  start: starts,
  first: assignees,
  steps: fc.array(fc.tuple(step, milliseconds), { minLength: 10, maxLength: 40 }),
});
export type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never;

const ON_TIME: Readonly<Record<string, (task: Task) => TaskEvent | undefined>> = {
  lease: () => ({ type: 'lease_lost' }),
  complete: () => ({ type: 'breach' }),
  respond: (task) => (task.reminded ? { type: 'escalate', to: 'user_manager' } : { type: 'remind' }),
};

/** Somebody who may do it, whose turn it is. */
function attempted(task: Task, verb: AllowedVerb, turn: number): TaskChange | undefined {
  const able = Object.values(CAST).map((actor) => changeOf(verb, actor));
  const allowed = able.filter((change) => refusalOf(task, change) === undefined);
  return allowed[turn % Math.max(1, allowed.length)];
}

function eventOf(task: Task, step: Step): TaskEvent | undefined {
  if (step.type === 'deadline') {
    const deadline = nextDeadline(task);
    return deadline && ON_TIME[deadline.kind]?.(task);
  }
  if (step.type === 'attempt') return attempted(task, step.verb, step.turn);
  // The workflow asks for an assignee only while the task is queued.
  if (step.type === 'event') return step.event.type === 'routed' && task.status !== 'pending' ? undefined : step.event;
  return refusalOf(task, step.change) === undefined ? step.change : undefined;
}

/** Plays a story as the workflow would: what is refused does not happen, and an ended task hears nothing. */
export function* play({ start, first, steps }: Story): Generator<Moment> {
  let now = START;
  let task = frozen(admittedTask(taskStart(start), admission(first), now));
  for (const [step, wait] of steps) {
    const deadline = step.type === 'deadline' ? nextDeadline(task)?.at : undefined;
    now = Math.max(now, deadline ?? now + wait);
    const event = eventOf(task, step);
    const after = event ? frozen(nextTask(task, event, now)) : task;
    yield { before: task, after, now, event };
    task = after;
  }
}
