import type { Client } from '@modelcontextprotocol/client';
import type { ExecutionContext } from 'ava';

import { callerOf } from '../../support/caller.ts';
import { callTool } from './clients.ts';
import type { ToolResult } from './clients.ts';
import type { TestStack } from '../../support/stack.ts';
import { testWithStack } from './shared-stack.ts';
import { wayOf, WAYS } from './ways.ts';

const test = testWithStack();

type Answer = { action: 'accept'; content: Record<string, string> } | { action: 'decline' | 'cancel' };

interface Asked {
  readonly messages: string[];
  readonly prepare: (client: Client) => void;
}

/** A person who answers every question in the same way. */
function person(answer: () => Answer | Promise<Answer>): Asked {
  const messages: string[] = [];
  const prepare = (client: Client): void => {
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      messages.push(params.message);
      return answer();
    });
  };
  return { messages, prepare };
}

const accept = (content: Record<string, string>) => (): Answer => ({ action: 'accept', content });
const FORMS = { capabilities: { elicitation: { form: {} } } };
const REQUEST = { subject: 'New laptop', reason: 'The old one broke', approver_role: 'finance' };

async function request(
  t: ExecutionContext<{ stack: TestStack }>,
  way: string,
  { prepare }: Asked,
  more: { approver?: string; elicitation?: boolean; capabilities?: object } = {},
): Promise<{ result: ToolResult; client: Client }> {
  const { stack } = t.context;
  const { approver = 'Tobias Renn', elicitation = true, ...settings } = more;
  const endpoint = {
    apiUrl: stack.apiUrl,
    key: stack.keys['hr-agent'] ?? '',
    approverKey: stack.keys[approver] ?? '',
    elicitation,
  };
  const client = await wayOf(way)(t, endpoint, { ...FORMS, ...settings, prepare });
  return { result: await callTool(client, 'request_approval', REQUEST), client };
}

const approvals = async (t: ExecutionContext<{ stack: TestStack }>, id: unknown) =>
  (await callerOf(t.context.stack, 'hr-agent').get(`/approvals/${String(id)}`)).body;

for (const way of Object.keys(WAYS)) {
  test.serial(`MCP-3: the person at the client decides, as that person (${way})`, async (t) => {
    const asked = person(accept({ decision: 'approve', comment: 'fine' }));
    const { result } = await request(t, way, asked);
    t.false(result.failed, result.text);
    t.is(asked.messages.length, 1);
    t.regex(asked.messages[0] ?? '', /The old one broke/);
    t.like(result.output, { status: 'approved' });
    t.regex(result.text, /The person at the client answered: approve\./);
    const { votes } = await approvals(t, result.output['id']);
    t.like(votes[0], { by: t.context.stack.ids['Tobias Renn'], verdict: 'approve', comment: 'fine' });
  });

  test.serial(`APPR-5: nothing but an approval approves (${way})`, async (t) => {
    t.timeout(240_000);
    const answers: Record<string, () => Answer | Promise<Answer>> = {
      declined: () => ({ action: 'decline' }),
      cancelled: () => ({ action: 'cancel' }),
      'without content': accept({}),
      'an unknown word': accept({ decision: 'yes' }),
      'another case': accept({ decision: 'APPROVE' }),
      'an inherited word': accept({ decision: 'constructor' }),
      'the word in another field': accept({ comment: 'approve' }),
      'the client fails': () => Promise.reject(new Error('window closed')),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const asked = person(answer);
      try {
        const { result } = await request(t, way, asked);
        t.is(result.output['status'], 'pending', name);
        t.like(await approvals(t, result.output['id']), { status: 'pending', votes: [] }, name);
      } catch (error) {
        // A client of the 2026 protocol that cannot answer does not come back; the request stays in the inbox.
        t.is(name, 'the client fails', String(error));
      }
      t.is(asked.messages.length, 1, name);
      const { body } = await callerOf(t.context.stack, 'Tobias Renn').get<unknown[]>(
        '/approvals?status=pending&assignee=me',
      );
      t.true(body.length > 0, `${name}: it waits in the inbox`);
    }
  });

  test.serial(`MCP-3: a rejection counts too, and others are not asked (${way})`, async (t) => {
    const rejecting = person(accept({ decision: 'reject' }));
    t.like((await request(t, way, rejecting)).result.output, { status: 'rejected' });
    for (const more of [
      { approver: 'Felix Amaro' },
      { approver: 'finance-agent' },
      { approver: 'nobody' },
      { elicitation: false },
      { capabilities: {} },
      { capabilities: { elicitation: { url: {} } } },
    ]) {
      const asked = person(accept({ decision: 'approve' }));
      // A client that declares nothing could not even say how it answers.
      const silentClient = 'capabilities' in more && !('elicitation' in more.capabilities);
      const { result } = await request(t, way, silentClient ? { messages: [], prepare: () => undefined } : asked, more);
      t.is(result.output['status'], 'pending', JSON.stringify(more));
      t.deepEqual(asked.messages, [], JSON.stringify(more));
    }
  });

  test.serial(`APPR-6: an answer to a request that changed meanwhile decides nothing (${way})`, async (t) => {
    const hr = callerOf(t.context.stack, 'hr-agent');
    const asked: Asked = person(async () => {
      const [id = ''] = /appr_[0-9a-f-]{36}/.exec(asked.messages[0] ?? '') ?? [];
      await hr.post(`/approvals/${id}/revise`, { reason: 'Two laptops' });
      return { action: 'accept', content: { decision: 'approve' } };
    });
    const { result } = await request(t, way, asked);
    t.is(result.output['status'], 'pending', result.text);
    t.regex(result.text, /changed while the person was asked/);
  });
}

test('MCP-3: forged or foreign request state is refused and makes no second approval', async (t) => {
  const { stack } = t.context;
  const hr = callerOf(stack, 'hr-agent');
  const count = async () => (await hr.get<unknown[]>('/approvals?limit=100')).body.length;
  const client = await wayOf('HTTP, 2026')(t, { apiUrl: stack.apiUrl, key: hr.key, elicitation: true }, FORMS);
  const before = await count();
  for (const requestState of ['x', '', 'eyJhIjoxfQ.AAAA', '🦉', 'a'.repeat(100_000)]) {
    const params = { name: 'request_approval', arguments: REQUEST, requestState, inputResponses: {} };
    await t.throwsAsync(client.request({ method: 'tools/call', params: params }), undefined, requestState.slice(0, 20));
  }
  t.is(await count(), before);
});
