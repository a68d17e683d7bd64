import test from 'ava';
import fc from 'fast-check';

import { allowedVerbs } from '../../../contracts/tasks.ts';
import type { TaskStatus } from '../../../contracts/tasks.ts';
import { admittedTask, ended, nextDeadline, nextTask, paused, refusalOf } from '../../../workflows/tasks/state.ts';
import type { Task } from '../../../workflows/tasks/state.ts';
import { frozen, milliseconds, RUNS, START } from './arbitraries.ts';
import { actors, admission, CAST, changeOf, play, stories, taskStart, VERBS } from './task-model.ts';

const opened = (more: Parameters<typeof taskStart>[0] = {}, assignee: Task['assignee'] = null): Task =>
  admittedTask(taskStart(more), admission(assignee), START);
const after = (task: Task, verb: (typeof VERBS)[number], actor: (typeof CAST)[keyof typeof CAST], now = START): Task =>
  nextTask(task, changeOf(verb, actor), now);
const claimed = (): Task => after(opened(), 'claim', CAST.first);

test('TASK-4: a completed or cancelled task refuses everything and stays as it is', (t) => {
  fc.assert(
    fc.property(stories, fc.constantFrom(...VERBS), actors, (story, verb, actor) => {
      for (const moment of play(story)) {
        if (!ended(moment.before)) continue;
        if (refusalOf(moment.before, changeOf(verb, actor))?.code !== 'illegal_transition') return false;
        if (moment.after.status !== moment.before.status && moment.event?.type !== 'paused') return false;
        if (nextDeadline(moment.before) !== undefined) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('TASK-4: only the assignee, or the assistant of the person it is assigned to, progresses, completes or fails', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, event } of play(story)) {
        if (event?.type !== 'complete' && event?.type !== 'progress' && event?.type !== 'fail') continue;
        const { id, acts_for } = event.actor;
        if (before.assignee === null) return false;
        const behind = before.assignee.kind === 'user' && acts_for === before.assignee.id;
        if (before.assignee.id !== id && !behind) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('TASK-4: what a state allows is what somebody may do, and nothing else', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { after: task } of play(story)) {
        const everybody = [...Object.values(CAST), ...(task.assignee ? [{ ...CAST.first, ...task.assignee }] : [])];
        for (const verb of VERBS) {
          const possible = everybody.some((actor) => refusalOf(task, changeOf(verb, actor)) === undefined);
          if (verb === 'claim' && paused(task) ? possible : possible && !allowedVerbs(task.status).includes(verb))
            return false;
        }
        const steering = allowedVerbs(task.status).filter((verb) => verb === 'cancel' || verb === 'retry');
        if (steering.some((verb) => refusalOf(task, changeOf(verb, CAST.sender)) !== undefined)) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('TASK-4: strangers may do nothing, whatever the state', (t) => {
  fc.assert(
    fc.property(stories, fc.constantFrom(...VERBS), (story, verb) => {
      for (const { after: task } of play(story))
        if (refusalOf(task, changeOf(verb, CAST.stranger)) === undefined) return false;
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('TASK-4: asking whether something is possible changes nothing', (t) => {
  const task = frozen(claimed());
  for (const verb of VERBS) for (const actor of Object.values(CAST)) refusalOf(task, changeOf(verb, actor));
  t.is(refusalOf(task, changeOf('complete', CAST.first)), undefined);
});

test('TASK-3: a claim is a lease from its moment on, and progress renews it', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { after: task, event, now } of play(story)) {
        if (event?.type === 'claim' || event?.type === 'progress')
          if (task.lease_until !== now + task.lease_seconds * 1000 || task.status !== 'active') return false;
        if (task.status !== 'active' && task.lease_until !== null) return false;
        if (task.status === 'active' && (task.lease_until === null || task.assignee === null)) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('TASK-3: lost leases put the task back until the attempts run out; then it is stalled, and retry revives it', (t) => {
  let task = opened({ max_attempts: 3 });
  for (const attempt of [1, 2]) {
    task = nextTask(after(task, 'claim', CAST.first), { type: 'lease_lost' }, START);
    t.like(task, { status: 'pending', attempts: attempt, assignee: null });
  }
  task = nextTask(after(task, 'claim', CAST.first), { type: 'lease_lost' }, START);
  t.like(task, { status: 'stalled', attempts: 3 });
  t.like(after(task, 'retry', CAST.sender), { status: 'pending', attempts: 0 });
});

test('TASK-3: attempts never exceed what the task allows, whatever happens to it', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { after: task } of play(story)) {
        if (task.attempts > task.start.max_attempts) return false;
        if (task.status === 'pending' && task.attempts >= task.start.max_attempts) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('TASK-3: whoever declined from the queue does not get it again; a task sent to one is declined for good', (t) => {
  const queued = after(opened(), 'decline', CAST.first);
  t.like(queued, { status: 'pending', assignee: null, declined_by: ['agent_first'] });
  t.is(refusalOf(queued, changeOf('claim', CAST.first))?.code, 'forbidden');
  t.is(refusalOf(queued, changeOf('claim', CAST.second)), undefined);
  const direct = opened({ target: 'agent_first' }, { kind: 'agent', id: 'agent_first' });
  t.is(after(direct, 'decline', CAST.first).status, 'declined');
});

test('TASK-5: at respond_within a reminder, then the manager, and then the manager above', (t) => {
  const first = opened({ respond_seconds: 60 });
  t.deepEqual(nextDeadline(first), { kind: 'respond', at: START + 60_000 });
  const reminded = nextTask(first, { type: 'remind' }, START + 60_000);
  t.deepEqual(nextDeadline(reminded), { kind: 'respond', at: START + 120_000 });
  t.true(reminded.reminded);
  const escalated = nextTask(reminded, { type: 'escalate', to: 'user_manager' }, START + 120_000);
  t.deepEqual(nextDeadline(escalated), { kind: 'respond', at: START + 180_000 });
  t.is(refusalOf(escalated, changeOf('claim', CAST.manager)), undefined);
  const top = nextTask(escalated, { type: 'escalate', to: null }, START + 180_000);
  t.is(top.escalated_to, 'user_manager');
  t.is(nextDeadline(top)?.kind, 'complete');
});

test('TASK-5: a breach is told once, and the task can still be completed', (t) => {
  const late = nextTask(claimed(), { type: 'breach' }, START + 7_200_000);
  t.true(late.breached);
  t.not(nextDeadline(late)?.kind, 'complete');
  t.is(after(late, 'complete', CAST.first).status, 'completed');
});

test('TASK-5, SESS-4: a pause keeps what is left of every clock, however long it lasts and however often', (t) => {
  const pauses = fc.array(fc.tuple(milliseconds, milliseconds), { maxLength: 6 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400 }), pauses, (seconds, story) => {
      let [now, stood] = [START, 0];
      let task = opened({ respond_seconds: seconds, complete_seconds: seconds });
      for (const [work, pause] of story) {
        now += Math.min(work, Math.max(0, START + seconds * 1000 + stood - now));
        task = nextTask(task, { type: 'paused', by: 'session', paused: true }, now);
        if (nextDeadline(task) !== undefined) return false;
        now += pause;
        stood += pause;
        task = nextTask(task, { type: 'paused', by: 'session', paused: false }, now);
      }
      return nextDeadline(task)?.at === START + seconds * 1000 + stood;
    }),
    RUNS,
  );
  t.pass();
});

test('SESS-4: clocks stand until the last of several pauses ends, and nothing is handed out meanwhile', (t) => {
  const pause = (task: Task, by: string, on: boolean, now: number): Task =>
    nextTask(task, { type: 'paused', by, paused: on }, now);
  let task = pause(pause(opened(), 'session', true, START), 'role:finance', true, START + 1_000);
  task = pause(pause(task, 'session', true, START + 2_000), 'session', false, START + 3_000);
  t.true(paused(task));
  t.is(refusalOf(task, changeOf('claim', CAST.first))?.code, 'illegal_transition');
  task = pause(task, 'role:finance', false, START + 60_000);
  t.is(nextDeadline(task)?.at, START + 600_000 + 60_000);
  t.is(refusalOf(task, changeOf('claim', CAST.first)), undefined);
});

test('SESS-4: work in flight may finish while the session is paused', (t) => {
  const held = nextTask(claimed(), { type: 'paused', by: 'session', paused: true }, START);
  t.is(refusalOf(held, changeOf('progress', CAST.first)), undefined);
  t.is(after(held, 'complete', CAST.first).status, 'completed');
});

test('SESS-4: a task that is routed to a paused role or agent is held, and one that leaves it is free', (t) => {
  const held = nextTask(opened(), { type: 'routed', admission: admission(null, ['role:finance']) }, START);
  t.true(paused(held));
  const moved = nextTask(held, { type: 'routed', admission: { ...admission(null), role: 'legal' } }, START);
  t.false(paused(moved));
});

test('TASK-4: a hand-off starts the wait for an answer anew and counts the attempts of the next one', (t) => {
  const handed = after(
    nextTask(claimed(), { type: 'lease_lost' }, START),
    'handoff',
    CAST.administrator,
    START + 5_000,
  );
  t.like(handed, { status: 'pending', assignee: null, attempts: 0, declined_by: [], lease_until: null });
  t.deepEqual(nextDeadline(handed), { kind: 'respond', at: START + 605_000 });
});

test('TASK-4: every state has its deadline kind, parked ones only that of being forgotten', (t) => {
  const kinds: Readonly<Record<TaskStatus, readonly (string | undefined)[]>> = {
    pending: ['respond', 'complete', undefined],
    active: ['lease', 'complete'],
    stalled: ['park'],
    failed: ['park'],
    declined: ['park'],
    completed: [undefined],
    cancelled: [undefined],
  };
  fc.assert(
    fc.property(stories, (story) => {
      for (const { after: task } of play(story))
        if (!kinds[task.status].includes(nextDeadline(task)?.kind)) return false;
      return true;
    }),
    RUNS,
  );
  t.pass();
});
