import pg from 'pg';

import type { BenchStack } from './stack.ts';
import { measure, ms } from './measure.ts';

/** So many tasks, spread over the demo organisation's agents, states and three years. */
async function fill(client: pg.Client, { organisationId, member }: BenchStack, rows: number): Promise<void> {
  const agents = ['finance-agent', 'manager-agent', 'legal-agent', 'hr-agent', 'support-agent'].map(
    (name) => member(name).id,
  );
  await client.query("SELECT set_config('app.organisation', $1, false)", [organisationId]);
  await client.query(
    `INSERT INTO contents (organisation_id, id, masked) VALUES ($1, 'cont_bench', '{"type":"bench","title":"Bench","data":{"amount":1}}') ON CONFLICT DO NOTHING`,
    [organisationId],
  );
  for (let from = 0; from < rows; from += 100_000)
    await client.query(
      `INSERT INTO tasks (organisation_id, id, sequence, sender_id, sender_kind, sender_role, target, role, assignee_kind, assignee_id,
         status, paused, priority, attempts, sla_breached, content, trace_id, created_at, updated_at)
       SELECT $1, 'task_' || lpad(to_hex(1600000000000 + n::bigint * 90000), 12, '0')::text || '-7000-8000-' || lpad(to_hex(n), 12, '0'),
         1, ($2::text[])[1 + n % 5], 'agent', 'finance', 'manager', (ARRAY['finance','manager','legal','hr','support'])[1 + (n / 5) % 5],
         CASE WHEN n % 7 = 0 THEN NULL ELSE 'agent' END, CASE WHEN n % 7 = 0 THEN NULL ELSE ($2::text[])[1 + (n / 5) % 5] END,
         CASE WHEN n % 50 = 0 THEN 'pending' WHEN n % 50 = 1 THEN 'active' WHEN n % 50 = 2 THEN 'failed' WHEN n % 50 = 3 THEN 'cancelled' ELSE 'completed' END,
         false, 1 + n % 5, 0, false, 'cont_bench', 'bench', now() - n * interval '90 seconds', now()
       FROM generate_series($3::int, $4::int) AS n`,
      [organisationId, agents, from, Math.min(rows, from + 100_000) - 1],
    );
  await client.query('ANALYZE tasks');
}

const QUERIES = [
  '/tasks?limit=50',
  '/tasks?assignee=me&limit=50',
  '/tasks?status=pending&limit=50',
  '/tasks?target=manager&limit=50',
  '/tasks?sort=created&limit=50',
  '/inbox',
];

/** p50 and p95 of lists over HTTP, with few rows and with very many. */
export async function benchLists(bench: BenchStack, rows: number): Promise<void> {
  const client = new pg.Client({ connectionString: bench.stack.config.databaseOwnerUrl });
  await client.connect();
  const get = (name: string, path: string) => async (): Promise<void> => {
    const headers = { authorization: `Bearer ${await bench.member(name).token()}` };
    const response = await fetch(bench.apiUrl + path, { headers });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path} answered ${String(response.status)}`);
  };
  console.log(`| list | reader | rows | p50 | p95 | p99 |\n| --- | --- | --- | --- | --- | --- |`);
  for (const size of [1_000, rows]) {
    await fill(client, bench, size);
    for (const reader of ['manager-agent', 'Helena Voss'])
      for (const path of QUERIES) {
        const { p50, p95, p99 } = await measure(200, get(reader, path));
        console.log(
          `| GET ${path} | ${reader} | ${size.toLocaleString('en')} | ${ms(p50)} | ${ms(p95)} | ${ms(p99)} |`,
        );
      }
    await client.query('TRUNCATE tasks');
  }
  await client.end();
}
