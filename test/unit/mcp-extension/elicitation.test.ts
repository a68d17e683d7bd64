import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import test from 'ava';
import fc from 'fast-check';

import type { ApprovalView } from '../../../contracts/approvals.ts';
import type { CallApi } from '../../../mcp-extension/api-client.ts';
import { createPersonAsker, stateCodec } from '../../../mcp-extension/elicitation/ask.ts';
import { decisionIn, questionOf } from '../../../mcp-extension/elicitation/question.ts';
import { serveTools } from '../../../mcp-extension/serve-tools.ts';

const ME = 'user_01928f00-0000-7000-8000-000000000001';
const APPROVAL: ApprovalView = {
  id: 'appr_01928f00-0000-7000-8000-000000000002',
  approval_id: 'appr_01928f00-0000-7000-8000-000000000002',
  status: 'pending',
  subject: 'New laptop',
  task_id: null,
  session_id: null,
  reason: 'It broke',
  evidence: null,
  action: null,
  digest: null,
  editable: null,
  requester: 'agent_x',
  waiting_for: [ME],
  requirement: 'finance',
  votes: [],
  revision: 0,
  due_by: '2030-01-01T00:00:00Z',
  escalations: 0,
  redeemed_at: null,
  masked: [],
  trace_id: 'x',
  created_at: '2029-01-01T00:00:00Z',
  updated_at: '2029-01-01T00:00:00Z',
  decided_at: null,
  allowed: ['respond'],
};

test('APPR-5: exactly the three words decide, whatever else a form holds', (t) => {
  const words = ['approve', 'reject', 'request_changes'];
  for (const decision of words) {
    t.deepEqual(decisionIn({ decision }), { decision: decision as 'approve' });
    t.deepEqual(decisionIn({ decision, comment: '  ' }), { decision: decision as 'approve' });
  }
  fc.assert(
    fc.property(fc.anything(), (content) => {
      const decided = decisionIn(content)?.decision;
      return decided === undefined || words.includes(decided);
    }),
  );
  fc.assert(fc.property(fc.string(), (decision) => decisionIn({ decision }) === undefined || words.includes(decision)));
  for (const odd of [null, 'approve', ['approve'], { decision: ['approve'] }, { decision: 'approve', comment: 1 }]) {
    t.is(decisionIn(odd), undefined);
  }
});

test('MCP-3: a question is bounded however large the request is', (t) => {
  const { message, requestedSchema } = questionOf({ ...APPROVAL, reason: 'x'.repeat(50_000) });
  t.true(message.length < 7_000);
  t.regex(message, /all of it in your inbox/);
  t.deepEqual(requestedSchema.required, ['decision']);
});

test('MCP-3: what a client carries between rounds opens with the key that sealed it, and no other', async (t) => {
  const asked = { approval_id: APPROVAL.id, revision: 1, digest: null };
  const sealed = await stateCodec('sbk_a').mint(asked);
  t.deepEqual(await stateCodec('sbk_a').verify(sealed, {} as never), asked);
  await t.throwsAsync(stateCodec('sbk_b').verify(sealed, {} as never));
});

test('APPR-5: a person who does not answer in time decides nothing, not even later', async (t) => {
  const called: string[] = [];
  const person = ((operation: { name: string }) => {
    called.push(operation.name);
    return Promise.resolve(operation.name === 'who_am_i' ? { id: ME, kind: 'user' } : APPROVAL);
  }) as unknown as CallApi;
  const asker = createPersonAsker(person, stateCodec('sbk_a'), 100);
  const server = new McpServer({ name: 'x', version: '1' }, { capabilities: { tools: {} } });
  const definition = { name: 'ask', inputSchema: { type: 'object' as const } };
  const run = async (_given: unknown, ctx: Parameters<typeof asker.ask>[1]) => {
    const answered = await asker.ask(APPROVAL, ctx, {});
    return { content: [{ type: 'text' as const, text: JSON.stringify(answered) }] };
  };
  serveTools(server, () => Promise.resolve([{ definition, run }]));
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(ours);
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: { form: {} } } });
  let answer = (): void => undefined;
  client.setRequestHandler(
    'elicitation/create',
    () => new Promise((resolve) => (answer = () => resolve({ action: 'accept', content: { decision: 'approve' } }))),
  );
  await client.connect(theirs);
  t.teardown(() => client.close());
  const result = await client.callTool({ name: 'ask', arguments: {} });
  t.regex(JSON.stringify(result), /gave no answer/);
  answer();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.false(called.includes('decide_approval'), called.join());
});
