import test from 'ava';
import fc from 'fast-check';

import { chooseAssignee } from '../../../directory/routing.ts';
import type { AssignmentRequest, Candidate } from '../../../directory/routing.ts';

const agent = (agent_id: string, more: Partial<Candidate> = {}): Candidate => ({
  agent_id,
  role: 'finance',
  skills: ['budget'],
  capacity: 10,
  open_tasks: 0,
  version: '1.0.0',
  rollout_weight: 100,
  online: true,
  had_session: false,
  acts_for: null,
  ...more,
});
const request = (more: Partial<AssignmentRequest> = {}): AssignmentRequest => ({
  task_id: 'task_1',
  session_id: null,
  role: 'finance',
  skills: [],
  ...more,
});

test('TASK-2: the least loaded gets it, by share of its capacity, then by id', (t) => {
  const { assignee, reason } = chooseAssignee(
    [agent('a', { open_tasks: 4 }), agent('c', { capacity: 100, open_tasks: 5 }), agent('b', { open_tasks: 1 })],
    request(),
  );
  t.is(assignee, 'c');
  t.is(reason, 'least loaded (5 of 100 tasks) of 3 online on version 1.0.0');
  t.is(chooseAssignee([agent('b'), agent('a')], request()).assignee, 'a');
});

test('TASK-2: who worked on the session gets it, however loaded and of whatever version', (t) => {
  const known = agent('z', { had_session: true, open_tasks: 9, version: '0.9.0', rollout_weight: 0 });
  const { assignee, reason } = chooseAssignee([agent('a'), known], request({ session_id: 'sess_1' }));
  t.deepEqual([assignee, reason], ['z', 'worked on this session before']);
  t.is(chooseAssignee([agent('a'), { ...known, open_tasks: 10 }], request()).assignee, 'a');
});

test('TASK-2: nobody suitable: it says what is missing and waits', (t) => {
  const reason = (candidates: Candidate[], more: Partial<AssignmentRequest> = {}): string => {
    const answer = chooseAssignee(candidates, request(more));
    t.is(answer.assignee, null);
    return answer.reason;
  };
  t.is(reason([]), 'waits for the role finance: the role has no agents');
  t.is(reason([agent('a', { role: 'hr' })]), 'waits for the role finance: the role has no agents');
  t.is(
    reason([agent('a')], { skills: ['tax'] }),
    'waits for the role finance: no agent of the role has all of the skills',
  );
  t.is(reason([agent('a', { online: false })]), 'waits for the role finance: no agent with the skills is online');
  t.is(
    reason([agent('a', { online: false }), agent('b', { open_tasks: 10 })]),
    'waits for the role finance: all online agents with the skills are at capacity',
  );
  t.is(
    reason([agent('a')], { for_user: 'user_1' }),
    'waits for the role finance: no agent of the role acts for the user',
  );
});

const candidate = fc.record({
  agent_id: fc.stringMatching(/^[a-j]$/),
  role: fc.constantFrom('finance' as const, 'hr' as const),
  skills: fc.subarray(['budget', 'tax']),
  capacity: fc.nat(3),
  open_tasks: fc.nat(3),
  version: fc.constantFrom('1', '2', '3'),
  rollout_weight: fc.nat(100),
  online: fc.boolean(),
  had_session: fc.boolean(),
  acts_for: fc.constantFrom(null, 'user_1'),
});
const pool = fc.uniqueArray(candidate, { selector: ({ agent_id }) => agent_id, maxLength: 10 });
const asked = fc.record({
  task_id: fc.uuid(),
  session_id: fc.option(fc.uuid()),
  role: fc.constant('finance' as const),
  skills: fc.subarray(['budget', 'tax']),
  for_user: fc.constantFrom(null, 'user_1'),
});

test('TASK-2: somebody gets it exactly when somebody is suitable, and then only a suitable one', (t) => {
  fc.assert(
    fc.property(pool, asked, (candidates, wanted) => {
      const { assignee } = chooseAssignee(candidates, wanted);
      const suitable = candidates.filter(
        (one) =>
          one.role === wanted.role &&
          one.online &&
          one.open_tasks < one.capacity &&
          wanted.skills.every((skill) => one.skills.includes(skill)) &&
          (wanted.for_user === null || one.acts_for === wanted.for_user),
      );
      const sticky = suitable.filter(({ had_session }) => had_session);
      const allowed = (sticky.length > 0 ? sticky : suitable).map(({ agent_id }) => agent_id);
      t.true(assignee === null ? allowed.length === 0 : allowed.includes(assignee));
    }),
  );
});

test('TASK-2: the order of candidates does not matter', (t) => {
  fc.assert(
    fc.property(pool, asked, (candidates, wanted) => {
      t.is(chooseAssignee([...candidates].reverse(), wanted).assignee, chooseAssignee(candidates, wanted).assignee);
    }),
  );
});

test('TASK-2: versions get their share, all tasks of a session the same one', (t) => {
  const share = (weight: number): string[] =>
    Array.from({ length: 2_000 }, (_, at) => {
      const candidates = [
        agent('old', { rollout_weight: 100 - weight }),
        agent('new', { version: '2.0.0', rollout_weight: weight }),
      ];
      const session_id = `sess_${String(at)}`;
      const { assignee } = chooseAssignee(candidates, request({ session_id }));
      t.is(chooseAssignee(candidates, request({ session_id, task_id: 'task_2' })).assignee, assignee);
      return assignee ?? '';
    });
  const [none, tenth, half] = [share(0), share(10), share(50)];
  const count = (answers: string[]): number => answers.filter((one) => one === 'new').length;
  t.is(count(none), 0);
  t.true(Math.abs(count(tenth) - 200) < 60);
  t.true(Math.abs(count(half) - 1_000) < 120);
  t.true(
    tenth.every((one, at) => one === 'old' || half[at] === 'new'),
    'a growing share takes nobody back',
  );
});
