import { toolOperations } from '../../../contracts/index.ts';
import { chooseTools } from '../../../mcp-extension/toolsets.ts';
import { testWithStack } from './shared-stack.ts';
import { wayOf, WAYS } from './ways.ts';

const test = testWithStack();

for (const [way, connect] of Object.entries(WAYS)) {
  test(`MCP-1: an agent has the tools that the profile of its role allows (${way})`, async (t) => {
    const { apiUrl, keys } = t.context.stack;
    const client = await connect(t, { apiUrl, key: keys['analyst-agent'] ?? '' });
    const names = (await client.listTools()).tools.map(({ name }) => name);
    t.true(names.includes('send_task') && names.length < toolOperations.length, names.join());
    const missing = toolOperations.find(({ name }) => !names.includes(name))?.name ?? '';
    await t.throwsAsync(client.callTool({ name: missing, arguments: {} }), { message: /not found/ });
  });
}

test('MCP-1: a person has all tools; flag and profile limit together', async (t) => {
  const { apiUrl, keys } = t.context.stack;
  const person = await wayOf('HTTP, 2025')(t, { apiUrl, key: keys['Lucia Petrov'] ?? '' });
  t.is((await person.listTools()).tools.length, toolOperations.length);
  const tools = chooseTools({ tools: 'send_task,redeem_approval' });
  const analyst = await wayOf('HTTP, 2026')(t, { apiUrl, key: keys['analyst-agent'] ?? '', mcp: { tools } });
  t.deepEqual(
    (await analyst.listTools()).tools.map(({ name }) => name),
    ['send_task'],
  );
});
