import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { newApiKey } from '../platform/api-key.ts';
import { newId } from '../platform/ids.ts';
import { cpuOf } from './cpu.ts';
import type { BenchStack } from './stack.ts';

/** How often an agent says that it is there, in seconds; what the MCP extension does. */
const EVERY_S = 50;

/** Adds agents with keys; answers the keys. */
async function addAgents({ stack, organisationId }: BenchStack, count: number): Promise<string[]> {
  const client = new pg.Client({ connectionString: stack.config.databaseOwnerUrl });
  await client.connect();
  const made = Array.from({ length: count }, () => ({ id: newId('agent'), ...newApiKey() }));
  await client.query("SELECT set_config('app.organisation', $1, false)", [organisationId]);
  await client.query(
    `INSERT INTO agents (organisation_id, id, name, role, skills)
     SELECT $1, id, 'bench-' || id, 'support', ARRAY['bench'] FROM unnest($2::text[]) AS id`,
    [organisationId, made.map(({ id }) => id)],
  );
  await client.query(
    `INSERT INTO api_keys (organisation_id, key_id, hash, principal_kind, principal_id)
     SELECT $1, key_id, hash, 'agent', id FROM unnest($2::text[], $3::bytea[], $4::text[]) AS k(key_id, hash, id)`,
    [organisationId, made.map(({ keyId }) => keyId), made.map(({ hash }) => hash), made.map(({ id }) => id)],
  );
  await client.end();
  return made.map(({ key }) => key);
}

async function beat(apiUrl: string, key: string): Promise<void> {
  const response = await fetch(`${apiUrl}/agents/me/heartbeat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{}',
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`A heartbeat answered ${String(response.status)}.`);
}

/** The least that a known caller can ask. */
async function whoAmI(apiUrl: string, key: string): Promise<void> {
  await (await fetch(`${apiUrl}/me`, { headers: { authorization: `Bearer ${key}` } })).arrayBuffer();
}

/** Every agent once, evenly over the interval, at the real rate. */
async function round(apiUrl: string, keys: readonly string[], call = beat): Promise<number> {
  const started = Date.now();
  const beats: Promise<void>[] = [];
  for (const [at, key] of keys.entries()) {
    const due = started + (at * EVERY_S * 1000) / keys.length;
    if (due > Date.now()) await sleep(due - Date.now());
    beats.push(call(apiUrl, key));
  }
  await Promise.all(beats);
  return Date.now() - started;
}

/** What agents that are merely there cost: CPU of API and Postgres, beside the same processes with nothing to do. */
export async function benchAgents(bench: BenchStack, count: number): Promise<void> {
  const names = ['postgres', 'temporal', ...bench.workers, ...bench.apis];
  const pids = Object.fromEntries(names.map((name) => [name, bench.stack.pid(name)]));
  const spent = async (work: () => Promise<number>): Promise<Record<string, number>> => {
    const before = cpuOf(pids);
    const taken = await work();
    const after = cpuOf(pids);
    return Object.fromEntries(names.map((name) => [name, ((after[name] ?? 0) - (before[name] ?? 0)) / taken]));
  };
  const keys = await addAgents(bench, count);
  await round(bench.apiUrl, keys);
  const idle = await spent(async () => {
    await sleep(EVERY_S * 1000);
    return EVERY_S * 1000;
  });
  const known = await spent(() => round(bench.apiUrl, keys, whoAmI));
  const busy = await spent(() => round(bench.apiUrl, keys));
  console.log(`${count.toLocaleString('en')} agents, a heartbeat each ${String(EVERY_S)} s; shares of one core\n`);
  console.log('| process | with nothing to do | GET /me at that rate | with the heartbeats | the heartbeats |');
  console.log('| --- | --- | --- | --- | --- |');
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  let sum = 0;
  for (const name of names) {
    const cost = (busy[name] ?? 0) - (idle[name] ?? 0);
    if (name === 'postgres' || bench.apis.includes(name)) sum += cost;
    console.log(
      `| ${name} | ${percent(idle[name] ?? 0)} | ${percent(known[name] ?? 0)} | ${percent(busy[name] ?? 0)} | ${percent(cost)} |`,
    );
  }
  console.log(`| **API and Postgres** | | | | **${percent(sum)}** |`);
}
