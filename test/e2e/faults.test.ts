import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import pg from 'pg';

import { newTroubles, PatientCaller } from '../chaos/caller.ts';
import { processTree } from '../../platform/process-tree.ts';
import { openStage } from '../chaos/stage.ts';
import type { Stage } from '../chaos/stage.ts';
import { callerWith } from '../support/caller.ts';
import type { Caller } from '../support/caller.ts';
import { testServers } from '../support/environment.ts';
import { eventually } from '../support/rest.ts';
import { skip } from '../support/skip.ts';

const HOUR_MS = 3_600_000;

const by = (stage: Stage, name: string): Caller =>
  callerWith(stage.apiUrl, { name, id: stage.id(name), key: stage.key(name) });
const patient = (stage: Stage, name: string): PatientCaller =>
  new PatientCaller(stage.apiUrl, stage.key(name), newTroubles());
const workflowBundle = (): string => testServers().workflowBundle;
const statusOf = async (who: Caller, path: string): Promise<string> => (await who.get(path)).body.status;

async function actions(stage: Stage, id: string): Promise<string[]> {
  const { timeline } = (await by(stage, 'Helena Voss').get(`/status/${id}`)).body;
  return timeline.map(({ action }) => String(action));
}

test.serial(
  'TASK-5, APPR-4: clocks an hour ahead and behind, and a server halted over deadlines, move none of them',
  async (t) => {
    t.timeout(180_000);
    const shifted: Record<string, number> = { api: HOUR_MS, worker: -HOUR_MS };
    const preload = path.resolve(import.meta.dirname, '../chaos/shifted-clock.mjs');
    const stage = await openStage({
      layout: 'single',
      workflowBundle: workflowBundle(),
      adapt: (one) => {
        const shift = shifted[one.name];
        if (shift === undefined) return one;
        const options = `${one.env?.['NODE_OPTIONS'] ?? ''} --import ${preload}`;
        return { ...one, env: { ...one.env, NODE_OPTIONS: options, CHAOS_CLOCK_MS: String(shift) } };
      },
    });
    t.teardown(() => stage.close());
    const [sender, worker] = [by(stage, 'finance-agent'), by(stage, 'manager-agent')];
    const before = Date.now();
    const route = { target: 'manager', type: 'x', sla: { respond_within: '4s', complete_within: '1h' } };
    const { task_id } = (await sender.post('/tasks/route', route)).body;
    const ask = { subject: 'x', approvers: { users: [stage.id('Ines Calder')] } };
    const soon = (await worker.post('/approvals', { ...ask, due_in: '4s' })).body.approval_id;
    const late = (await worker.post('/approvals', { ...ask, due_in: '1h' })).body.approval_id;
    const { due_by } = (await worker.get<{ due_by: string }>(`/approvals/${late}`)).body;
    const due = Date.parse(due_by) - before;
    t.true(due > HOUR_MS - 5_000 && due < HOUR_MS + 60_000, `due after ${String(due)} ms by the true clock`);
    t.is(await statusOf(worker, `/approvals/${soon}`), 'pending');

    const temporal = processTree(stage.stack.pid('temporal'));
    for (const pid of temporal) process.kill(pid, 'SIGSTOP');
    await sleep(6_000);
    for (const pid of temporal) process.kill(pid, 'SIGCONT');
    await eventually(
      () => statusOf(worker, `/approvals/${soon}`),
      (status) => status === 'expired',
      20_000,
    );
    const happened = await eventually(
      () => actions(stage, task_id),
      (all) => all.includes('task.sla_reminded'),
      20_000,
    );
    t.is(happened.filter((action) => action === 'task.sla_reminded').length, 1);
    t.false(happened.includes('task.sla_breached'));
    t.is(await statusOf(worker, `/approvals/${late}`), 'pending');
  },
);

test.serial(
  'OPS-5: a slow database makes answers slow, not wrong; an exhausted pool is answered 503 and recovers',
  async (t) => {
    t.timeout(180_000);
    const stage = await openStage({ layout: 'single', workflowBundle: workflowBundle() });
    t.teardown(() => stage.close());
    const sender = patient(stage, 'finance-agent');
    for (const link of ['api-database', 'worker-database']) stage.links.get(link)?.delay(150);
    const slow = await sender.post('/tasks/route', { target: 'hr', type: 'x' }, 'slow');
    t.is(slow.status, 202, JSON.stringify(slow.body));
    for (const link of ['api-database', 'worker-database']) stage.links.get(link)?.delay(0);

    // Every connection of the API waits for this lock; whoever comes next finds none free.
    const owner = new pg.Client({ connectionString: stage.stack.config.databaseOwnerUrl });
    owner.on('error', () => undefined);
    await owner.connect();
    await owner.query('BEGIN');
    await owner.query('LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE');
    const reader = by(stage, 'manager-agent');
    const answers = await Promise.race([
      Promise.all(Array.from({ length: 30 }, () => reader.get('/tasks?limit=1'))).then(() => 'all were answered'),
      Promise.any(
        Array.from({ length: 30 }, async () => {
          const { status, body, headers } = await reader.get('/tasks?limit=1');
          if (status !== 503) throw new Error(String(status));
          return { code: body.code, retryAfter: headers.get('retry-after') };
        }),
      ),
    ]);
    t.deepEqual(answers, { code: 'unavailable', retryAfter: '2' });
    await owner.query('ROLLBACK');
    await owner.end();
    const served = await eventually(
      () => reader.get('/tasks?limit=1'),
      ({ status }) => status === 200,
      40_000,
    );
    t.is(served.body.length, 0, 'the task was sent to another role');
  },
);

/** A file system of its own, small enough to be filled; undefined where this user may not mount one. */
function smallDisk(t: ExecutionContext): string | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m,mode=0711', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test.serial(
  'OPS-5: a full disk stops the database; nothing is half done, and all goes on once there is room',
  async (t) => {
    t.timeout(240_000);
    const folder = smallDisk(t);
    if (folder === undefined) {
      skip(t, 'no right to mount a file system');
      return;
    }
    chmodSync(folder, 0o711);
    const stage = await openStage({ layout: 'single', folder, workflowBundle: workflowBundle() });
    t.teardown(() => stage.close());
    const sender = by(stage, 'finance-agent');
    t.is((await sender.post('/tasks/route', { target: 'hr', type: 'before' })).status, 202);

    const filler = path.join(folder, 'filler');
    const { bavail, bsize } = statfsSync(folder);
    // In pieces to the last block, as logs do.
    for (let left = bavail * bsize, piece = 1 << 26; piece >= 4_096; piece = Math.floor(piece / 2))
      for (; left >= piece; left -= piece)
        try {
          writeFileSync(filler, Buffer.alloc(piece), { flag: 'a' });
        } catch {
          break;
        }
    const during: number[] = [];
    for (let n = 0; n < 40 && !during.includes(503); n += 1) {
      const words = 'x'.repeat(100_000);
      const answer = sender.post(
        '/tasks/route',
        { target: 'hr', type: 'during', payload: { words } },
        { 'idempotency-key': `during-${String(n)}` },
      );
      during.push((await Promise.race([answer, sleep(25_000, { status: 503 })])).status);
    }
    t.true(during.includes(503), `the disk is full: ${during.join(' ')}`);
    t.false(during.includes(500), during.join(' '));

    rmSync(filler);
    for (const part of ['temporal', 'postgres']) await stage.stack.restart(part);
    const retry = patient(stage, 'finance-agent');
    for (const n of during.keys()) {
      const payload = { words: 'x'.repeat(100_000) };
      const again = await retry.post('/tasks/route', { target: 'hr', type: 'during', payload }, `during-${String(n)}`);
      t.is(again.status, 202, JSON.stringify(again.body));
    }
    const list = await patient(stage, 'Helena Voss').get<unknown[]>('/tasks?limit=50');
    t.is(list.body.length, during.length + 1, 'each was created once');
  },
);
