import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import pg from 'pg';

import { clientOf } from './client.ts';
import { load, percentile } from './load.ts';
import type { Load } from './load.ts';
import type { BenchStack } from './stack.ts';

const COUNT = 500;

/** (c) `fetch_status` over HTTP against a bare SQL read of the same row, and over MCP against HTTP. */
export async function benchReads(bench: BenchStack): Promise<void> {
  const sender = clientOf(bench, 'finance-agent');
  const { task_id } = await sender.post('/tasks/route', { target: 'manager', type: 'bench', payload: { amount: 1 } });
  const sql = new pg.Client({ connectionString: bench.databaseUrl });
  await sql.connect();
  await sql.query("SELECT set_config('app.organisation', $1, false)", [bench.organisationId]);
  const mcp = new Client({ name: 'bench', version: '1' });
  const requestInit = {
    headers: {
      authorization: `Bearer ${await bench.member('finance-agent').token(bench.stack.config.oidcMcpAudience)}`,
    },
  };
  await mcp.connect(new StreamableHTTPClientTransport(new URL(bench.stack.addresses.mcp), { requestInit }));
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'bare SQL': () => sql.query({ name: 'one', text: 'SELECT * FROM tasks WHERE id = $1', values: [task_id] }),
    HTTP: () => sender.get(`/status/${String(task_id)}`),
    MCP: () => mcp.callTool({ name: 'fetch_status', arguments: { task_id } }),
  };
  const found = new Map<string, Load>();
  for (const call of Object.values(calls)) await load(50, 1, call);
  for (const [name, call] of Object.entries(calls)) found.set(name, await load(COUNT, 1, call));
  await mcp.close();
  await sql.end();
  console.log('| fetch_status | p50 | p95 | p99 |\n| --- | --- | --- | --- |');
  for (const [name, times] of found) {
    const cells = [0.5, 0.95, 0.99].map((share) => `${percentile(times, share).toFixed(2)} ms`);
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
