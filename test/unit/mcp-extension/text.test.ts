import test from 'ava';

import { requestApproval } from '../../../contracts/approvals.ts';
import { toolOperations } from '../../../contracts/index.ts';
import { notify } from '../../../contracts/notifications.ts';
import { readShard } from '../../../contracts/sessions.ts';
import { fetchStatus } from '../../../contracts/status.ts';
import { claimTask, completeTask, listTasks, routeTask } from '../../../contracts/tasks.ts';
import { localProblem } from '../../../mcp-extension/problem.ts';
import { resultText } from '../../../mcp-extension/text.ts';
import { problemText } from '../../../mcp-extension/text/problem.ts';

const TASK = {
  id: 'task_1',
  task_id: 'task_1',
  task_type: 'budget_approval',
  title: 'Q1 hiring',
  description: 'Approve the budget',
  data: { amount: 125_000 },
  context: null,
  source: 'agent_finance',
  target: 'manager',
  role: 'manager',
  assignee: 'agent_manager',
  status: 'active',
  paused: false,
  reason: null,
  result: null,
  progress: 40,
  priority: 3,
  attempts: 0,
  lease_until: '2026-01-01T00:05:00Z',
  respond_by: null,
  complete_by: null,
  sla_breached: false,
  escalated_to: null,
  session_id: null,
  parent_task_id: null,
  output_schema: null,
  masked: [],
  trace_id: 'trace-1',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  completed_at: null,
  allowed: ['progress', 'complete'],
};

test('COMPAT-1: send_task shows ids, status, target, assignee, what was masked and what comes next', (t) => {
  const text = resultText(
    routeTask,
    {
      task_id: 'task_1',
      status: 'pending',
      target: 'manager',
      assignee: null,
      assigned_because: 'nobody of the role is online',
      session_id: null,
      masked: [
        { type: 'email', count: 2, visible_to_receiver: true },
        { type: 'iban', count: 1, visible_to_receiver: false },
      ],
      trace_id: 'trace-1',
    },
    {},
  );
  t.is(
    text,
    [
      '✅ Task sent.',
      '**Task ID:** task_1',
      '**Status:** pending',
      '**Target:** manager',
      '**Assignee:** nobody yet (nobody of the role is online)',
      '**Masked:** 2 × email, 1 × iban (not shown to the receiver: iban)',
      '**Trace ID:** trace-1',
      'Use fetch_status with task_id "task_1" to follow it.',
    ].join('\n'),
  );
});

test('COMPAT-1: notify shows target and priority', (t) => {
  const receipt = {
    notification_id: 'note_1',
    task_id: 'note_1',
    status: 'sent',
    target: 'hr',
    masked: [],
    trace_id: 'x',
  };
  const text = resultText(notify, receipt, { priority: 'high' });
  for (const part of ['**Task ID:** note_1', '**Status:** sent', '**Target:** hr', '**Priority:** high', 'warning']) {
    t.true(text.includes(part), part);
  }
  t.regex(resultText(notify, receipt, {}), /\*\*Priority:\*\* normal/);
});

test('COMPAT-1: request_approval shows the request, its task and the role', (t) => {
  const approval = {
    id: 'appr_1',
    status: 'pending',
    subject: null,
    task_id: 'task_1',
    session_id: null,
    requester: 'agent_finance',
    requirement: 'one of role manager',
    waiting_for: ['user_1'],
    reason: 'Over the limit',
    action: { tool: 'pay', arguments: { amount: 5 } },
    evidence: null,
    votes: [{ by: 'user_2', verdict: 'approve', comment: 'Fine' }],
    due_by: '2026-01-02T00:00:00Z',
    redeemed_at: null,
    masked: [],
    allowed: ['withdraw'],
    trace_id: 'x',
  };
  const text = resultText(requestApproval, approval, { approver_role: 'manager', decision: 'pending' });
  for (const part of [
    '✅ Approval requested',
    '**Task ID (Approval Request):** appr_1',
    '**Original Task:** task_1',
    '**Approver Role:** manager',
    'user_2: approve (Fine)',
  ]) {
    t.true(text.includes(part), part);
  }
  t.regex(resultText(requestApproval, approval, { decision: 'approve' }), /Decision recorded/);
});

test('MCP-2: who works on a task reads all that the sender gave', (t) => {
  const text = resultText(claimTask, TASK, {});
  for (const part of [
    'report_progress before 2026-01-01T00:05:00Z',
    'Approve the budget',
    '"amount": 125000',
    '40 %',
  ]) {
    t.true(text.includes(part), part);
  }
});

test('COMPAT-1: fetch_status shows state, task, approvals and the last ten events', (t) => {
  const timeline = Array.from({ length: 12 }, (_, at) => ({
    at: `t${String(at)}`,
    actor: 'agent_x',
    action: 'task:progress',
    outcome: 'allowed',
  }));
  const text = resultText(
    fetchStatus,
    {
      id: 'task_1',
      kind: 'task',
      status: 'completed',
      result: { ok: true },
      task: { ...TASK, result: { ok: true } },
      approval: null,
      session: null,
      approvals: [],
      timeline,
      trace_id: 'trace-1',
    },
    {},
  );
  for (const part of ['**Current State:** completed', '"ok": true', 'Last 10 of 12 events:', 't11 agent_x']) {
    t.true(text.includes(part), part);
  }
  t.is(text.split('"ok": true').length, 2, 'the result is shown once');
  t.false(text.includes('t1 agent_x'));
});

test('MCP-2: lists are one line an item and tell how to go on', (t) => {
  const text = resultText(listTasks, { tasks: [{ ...TASK, title: 'x'.repeat(500) }], next_cursor: 'abc' }, {});
  t.is(text.split('\n').length, 3);
  t.true((text.split('\n')[1] ?? '').length < 250);
  t.regex(text, /cursor "abc"/);
  t.is(resultText(listTasks, { tasks: [], next_cursor: null }, {}), 'No tasks.');
});

test('MCP-2: a very long value is cut, and says so', (t) => {
  const part = {
    session_id: 'sess_1',
    name: 'findings',
    version: 3,
    readers: ['legal'],
    content: 'y'.repeat(50_000),
    written_by: 'agent_x',
    updated_at: 'now',
  };
  const text = resultText(readShard, part, {});
  t.true(text.length < 13_000);
  t.regex(text, /50000 characters/);
});

test('MCP-2: every tool has its own text', (t) => {
  const fallback = (name: string): boolean => {
    const operation = toolOperations.find((each) => each.name === name);
    try {
      return operation === undefined || resultText(operation, null, {}) === '✅ Done.';
    } catch {
      return false; // Its own writer met an output that it does not know.
    }
  };
  t.deepEqual(toolOperations.map(({ name }) => name).filter(fallback), []);
});

test('X-1: a failure reads as what is wrong, where, the state, and what to do', (t) => {
  const errors = [
    { pointer: '', detail: 'must not be empty' },
    { pointer: '/result', detail: 'is missing' },
  ];
  const problem = {
    ...localProblem({ code: 'illegal_transition', detail: 'The task is pending.', traceId: 'trace-1', errors }),
    state: 'pending',
    allowed: ['claim', 'cancel'],
  };
  t.is(
    problemText(completeTask.name, problem),
    [
      '❌ complete_task failed: illegal_transition',
      'The task is pending.',
      '- (the input): must not be empty',
      '- /result: is missing',
      '**state:** pending',
      '**allowed:** claim, cancel',
      '**What to do:** See state and allowed in this answer.',
      '**Trace ID:** trace-1',
    ].join('\n'),
  );
});
