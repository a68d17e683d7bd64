import { toolOperations } from '../../../contracts/index.ts';
import { callerOf } from '../../support/caller.ts';
import { callTool } from './clients.ts';
import { testWithStack } from './shared-stack.ts';
import { WAYS } from './ways.ts';

const test = testWithStack();

type Fields = Readonly<Record<string, unknown>>;
interface Tool {
  /** Arguments that are good by themselves. */
  readonly args?: Fields;
  /** What each field that names something is given, one after the other. */
  readonly ids: Readonly<Record<string, unknown>>;
  /** A list, which is empty instead of a refusal. */
  readonly list?: string;
}

/** Every tool with every field that names one thing of one organisation. */
const toolsWith = (of: Readonly<Record<string, string>>): Readonly<Record<string, Tool>> => {
  const { task_id, approval_id, session_id, notification_id, agent, user } = of;
  const task = (args: Fields = {}): Tool => ({ args, ids: { task_id } });
  const session = (args: Fields, more: Fields = {}): Tool => ({ args, ids: { session_id, ...more } });
  return {
    send_task: { args: { target: 'hr', type: 'x' }, ids: { target: agent, session_id, parent_task_id: task_id } },
    list_tasks: { ids: { assignee: agent, target: agent, session_id, parent_task_id: task_id }, list: 'tasks' },
    claim_task: task(),
    report_progress: task({ percent: 1 }),
    complete_task: task({ result: 1 }),
    fail_task: task({ reason: 'r' }),
    decline_task: task({ reason: 'r' }),
    handoff_task: task({ target: 'hr' }),
    cancel_task: task({ reason: 'r' }),
    retry_task: task(),
    request_approval: {
      args: { subject: 's', approver_role: 'hr' },
      ids: { task_id, session_id, approvers: { users: [user] } },
    },
    list_approvals: { ids: { task_id, session_id }, list: 'approvals' },
    decide_approval: { args: { decision: 'approve' }, ids: { approval_id } },
    revise_approval: { args: { reason: 'r' }, ids: { approval_id } },
    redeem_approval: { args: { action: { tool: 'pay', arguments: {} } }, ids: { approval_id } },
    open_session: { args: { title: 's' }, ids: { task_id, participants: [agent] } },
    update_session: session({ event: 'activate' }),
    join_session: session({}),
    handoff_session: session({ to: 'hr' }),
    read_context: session({ name: 'findings' }),
    write_context: session({ name: 'findings', content: 1 }),
    notify: { args: { target: 'hr', message: 'm' }, ids: { target: agent, task_id, session_id } },
    fetch_status: { ids: { task_id, notification_id } },
  };
};
/** Fields that name something, and are tried with another one's id in a thing of one's own or not here, since … */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'request_approval.approval_id': 'it is refused with decide_approval, which it then is',
  'list_approvals.assignee': 'it is a person or role; the lists of others are not shown to anybody',
  'join_session.participant': 'the session has to be one’s own first: test/integration/api/isolation.test.ts',
  'handoff_session.to': 'the session has to be one’s own first: test/integration/api/isolation.test.ts',
  'handoff_task.target': 'the task has to be one’s own first: test/integration/api/isolation.test.ts',
  'write_context.readers': 'the session has to be one’s own first: test/integration/api/isolation.test.ts',
};
const NAMES_SOMETHING = /_id$|^(target|to|assignee|participants?|readers|approvers)$/;

test('POL-3: every tool with every field that names something is known to be covered here', (t) => {
  const tools = toolsWith({});
  const unknown = toolOperations.flatMap(({ name, input }) =>
    Object.keys(input.shape)
      .filter((field) => NAMES_SOMETHING.test(field))
      .filter((field) => !(field in (tools[name]?.ids ?? {})) && !(`${name}.${field}` in ELSEWHERE))
      .map((field) => `${name}.${field}`),
  );
  t.deepEqual(unknown, []);
});

for (const name of ['finance-agent', 'Helena Voss'])
  test(`POL-3: no tool finds anything of another organisation (${name})`, async (t) => {
    t.timeout(120_000);
    const { stack } = t.context;
    const from = callerOf(stack, 'finance-agent');
    const { task_id } = (await from.post('/tasks/route', { target: 'hr', type: 'x' })).body;
    const { session_id } = (await from.post('/sessions', { title: 's' })).body;
    await from.put(`/sessions/${session_id}/shards/findings`, { content: 1 });
    const { approval_id } = (await from.post('/approvals', { task_id, approver_role: 'manager' })).body;
    const { notification_id } = (await from.post('/notifications', { target: 'manager', message: 'm' })).body;
    const user = callerOf(stack, 'Noor Halvorsen').id;
    const tools = toolsWith({ task_id, session_id, approval_id, notification_id, agent: from.id, user });
    const connect = WAYS['HTTP, 2025'];
    if (!connect) throw new Error('There is no such way.');
    const client = await connect(t, { apiUrl: stack.apiUrl, key: callerOf(stack, name, 'other').key });
    const offered = new Set((await client.listTools()).tools.map((tool) => tool.name));
    let tried = 0;
    for (const [tool, { args = {}, ids, list }] of Object.entries(tools).filter(([one]) => offered.has(one)))
      for (const [field, value] of Object.entries(ids)) {
        // fetch_status takes any kind of id in its one field; approvers come in one form or the other.
        const given = tool === 'fetch_status' ? { task_id: value } : { ...args, [field]: value };
        if (field === 'approvers') Reflect.deleteProperty(given, 'approver_role');
        const { failed, output, problem, text } = await callTool(client, tool, given);
        tried += 1;
        if (list !== undefined) t.deepEqual(output[list], [], `${tool}.${field}`);
        else {
          t.true(failed, `${tool}.${field} ${text}`);
          t.true(['not_found', 'unknown_target'].includes(String(problem['code'])), `${tool}.${field} ${text}`);
        }
      }
    t.log(`${String(offered.size)} tools, ${String(tried)} calls`);
    t.true(tried >= 20, String(tried));
  });
