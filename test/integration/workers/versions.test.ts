import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { product } from '../../../cli/product.ts';
import { approvalWorkflowId } from '../../../contracts/approval-workflow.ts';
import { SESSION_WORKFLOW, sessionWorkflowId } from '../../../contracts/session-workflow.ts';
import type { SessionStart, SessionWorkflow } from '../../../contracts/session-workflow.ts';
import { taskWorkflowId } from '../../../contracts/task-workflow.ts';
import { newId } from '../../../platform/ids.ts';
import { connectTemporal } from '../../../temporal/connection.ts';
import { startDevServer } from '../../../temporal/dev-server.ts';
import { ensureNamespace } from '../../../temporal/namespace.ts';
import { listBuilds, promoteBuild, rampBuild } from '../../../temporal/versions.ts';
import type { Build, Deployment } from '../../../temporal/versions.ts';
import { deploymentOf } from '../../../workers/deployment.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { testServers } from '../../support/environment.ts';
import { eventually } from '../../support/rest.ts';
import { startStack } from '../../support/stack.ts';
import type { RunningWorker, TestStack } from '../../support/stack.ts';

let stack: TestStack;
let deployment: Deployment;
const workers: RunningWorker[] = [];

test.before(async (t) => {
  t.timeout(120_000);
  stack = await startStack({ worker: false });
  const { connection } = stack.client;
  deployment = { connection, namespace: 'default', name: stack.taskQueue };
});
test.after.always(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await stack.close();
});

const by = (name: string): Caller => callerOf(stack, name);
async function good(answer: Promise<{ status: number; body: Body }>): Promise<Body> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body;
}

async function work(buildId: string, promote = false): Promise<RunningWorker> {
  const worker = await stack.runWorker({
    deployment: deploymentOf({ deploymentName: deployment.name, buildId, promote }),
  });
  workers.push(worker);
  return worker;
}

/** The build that did the last workflow task; the server knows it when the task is over, the record a moment before. */
const buildOf = (workflowId: string): Promise<string> =>
  eventually(
    async () => {
      const { raw } = await stack.client.workflow.getHandle(workflowId).describe();
      return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? 'none';
    },
    (build) => build !== 'none',
  );
const taskFlow = (id: string): string => taskWorkflowId(stack.organisationId, id);
const sessionFlow = (id: string): string => sessionWorkflowId(stack.organisationId, id);
const build = async (buildId: string): Promise<Build | undefined> =>
  (await listBuilds(deployment)).find((one) => one.buildId === buildId);

/** The command as an operator runs it; answers what it says, whether it succeeds or not. */
async function versions(...args: string[]): Promise<string> {
  const { address, namespace } = testServers().temporal;
  const env = {
    ...process.env,
    SWITCHBOARD_TEMPORAL_ADDRESS: address,
    SWITCHBOARD_TEMPORAL_NAMESPACE: namespace,
    SWITCHBOARD_WORKER_DEPLOYMENT: deployment.name,
  };
  const cli = path.resolve(import.meta.dirname, '../../../cli/main.ts');
  const run = promisify(execFile)(process.execPath, [cli, 'versions', ...args], { env });
  return run.then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}

const sendTask = async (): Promise<string> =>
  (await good(by('finance-agent').post('/tasks/route', { target: by('hr-agent').id, type: 'x' }))).task_id;

async function startSession(): Promise<string> {
  const from = by('finance-agent');
  const session_id = newId('session');
  const content = newId('content');
  await stack.database.inOrganisation(stack.organisationId, (sql) =>
    sql.query(
      "INSERT INTO contents (organisation_id, id, masked) VALUES (current_setting('app.organisation'), $1, '{}')",
      [content],
    ),
  );
  const start: SessionStart = {
    organisation_id: stack.organisationId,
    trace_id: 'direct',
    changes_per_run: 2,
    session_id,
    creator: { kind: 'agent', id: from.id, role: 'finance', acts_for: null, administrator: false },
    agent_role: 'finance',
    lead: from.id,
    participants: [],
    task_id: null,
    content,
    idle_seconds: 3_600,
  };
  await stack.client.workflow.start<SessionWorkflow>(SESSION_WORKFLOW, {
    workflowId: sessionFlow(session_id),
    taskQueue: stack.taskQueue,
    args: [start],
  });
  await eventually(
    () => from.get(`/sessions/${session_id}`),
    ({ status }) => status === 200,
  );
  return session_id;
}

test.serial(
  'OPS-3: open work ends on its build, new work follows the ramp, and a rollback sends it back',
  async (t) => {
    t.timeout(180_000);
    const [from, to, manager] = [by('finance-agent'), by('hr-agent'), by('Ines Calder')];
    await work('one');
    await promoteBuild(deployment, 'one');
    const task = await sendTask();
    const approval = await good(from.post('/approvals', { subject: 's', approvers: { users: [manager.id] } }));
    const approvalFlow = approvalWorkflowId(stack.organisationId, approval.approval_id);
    const session = await startSession();
    t.deepEqual(await Promise.all([taskFlow(task), approvalFlow, sessionFlow(session)].map(buildOf)), [
      'one',
      'one',
      'one',
    ]);

    await work('two');
    await eventually(
      () => build('two'),
      (two) => two !== undefined,
    );
    const beside = await sendTask();
    t.is(await buildOf(taskFlow(beside)), 'one', 'a build gets nothing before it is ramped');
    t.regex(await versions('ramp', '--build', 'two', '--percentage', '100'), /two gets 100 %/);
    t.is((await build('two'))?.ramping, 100);
    const ramped = await sendTask();
    t.is(await buildOf(taskFlow(ramped)), 'two');

    t.regex(await versions('promote', '--build', 'two'), /two gets all new workflows/);
    await good(to.post(`/tasks/${task}/claim`));
    await good(to.post(`/tasks/${task}/complete`, { result: {} }));
    await good(manager.post(`/approvals/${approval.approval_id}/respond`, { decision: 'approve' }));
    t.deepEqual(await Promise.all([taskFlow(task), approvalFlow].map(buildOf)), ['one', 'one'], 'open work stays');

    await good(from.put(`/sessions/${session}/events`, { event: 'activate' }));
    t.is(await buildOf(sessionFlow(session)), 'two', 'a session moves with its next change');
    const firstRun = (await stack.client.workflow.getHandle(sessionFlow(session)).describe()).runId;
    await good(from.put(`/sessions/${session}/events`, { event: 'pause' }));
    await good(from.put(`/sessions/${session}/events`, { event: 'resume' }));
    const { runId } = await stack.client.workflow.getHandle(sessionFlow(session)).describe();
    t.not(runId, firstRun, 'it continued as new');
    t.is(await buildOf(sessionFlow(session)), 'two', 'and goes on there');

    t.regex(await versions('rollback'), /one gets all new workflows again/);
    const back = await sendTask();
    t.is(await buildOf(taskFlow(back)), 'one', 'a rollback sends new work back');
    await good(to.post(`/tasks/${ramped}/claim`));
    t.is(await buildOf(taskFlow(ramped)), 'two', 'what began on the other build ends there');
    t.is((await build('two'))?.drainage, 'draining', 'its worker is still needed');
    t.regex(await versions('list'), /two {2}draining/);
  },
);

test.serial('OPS-3: a ramp is a share, a rollback ends it, and what cannot be is refused', async (t) => {
  t.timeout(60_000);
  await rampBuild(deployment, 'two', 40);
  t.regex(await versions('list'), /two {2}ramping 40 %[^]*one {2}current|one {2}current[^]*two {2}ramping 40 %/);
  const sent = await Promise.all(Array.from({ length: 12 }, async () => buildOf(taskFlow(await sendTask()))));
  t.true(sent.includes('one'), sent.join(' '));
  t.regex(await versions('rollback'), /two gets no new workflows any more/);
  t.is((await build('two'))?.ramping, undefined);
  t.is(await buildOf(taskFlow(await sendTask())), 'one');
  t.regex(await versions('promote', '--build', 'three'), /There is no build three: /);
  t.regex(await versions('ramp', '--build', 'two', '--percentage', '101'), /--percentage 0 to 100/);
  t.regex(await versions('nonsense'), /versions list/);
});

test.serial('OPS-3, OPS-1: where a build replaces the one before, open work moves to it', async (t) => {
  t.timeout(120_000);
  const alone = await startStack({ worker: false });
  t.teardown(() => alone.close());
  const place: Deployment = { ...deployment, name: alone.taskQueue };
  const workAs = (buildId: string): Promise<RunningWorker> =>
    alone.runWorker({ deployment: deploymentOf({ deploymentName: place.name, buildId, promote: true }) });
  const [from, to] = ['finance-agent', 'hr-agent'].map((name) => callerOf(alone, name));
  const before = await workAs('before');
  await promoteBuild(place, 'before');
  const { task_id } = await good(
    from?.post('/tasks/route', { target: to?.id, type: 'x' }) ?? Promise.reject(new Error()),
  );
  await before.stop();
  const after = await workAs('after');
  t.teardown(() => after.stop());
  await promoteBuild(place, 'after');
  t.is((await to?.post(`/tasks/${task_id}/claim`))?.status, 200);
  const { raw } = await alone.client.workflow.getHandle(taskWorkflowId(alone.organisationId, task_id)).describe();
  t.is(raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId, 'after');
});

test.serial(
  'OPS-3: a build is drained once its last workflow has ended, and the next goes on without its worker',
  async (t) => {
    t.timeout(180_000);
    // The server looks for what is open every few minutes; here at once.
    const settings = {
      'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '"1s"',
      'matching.wv.VersionDrainageStatusRefreshInterval': '"1s"',
    };
    const server = await startDevServer({ port: 0, uiPort: 0, namespace: 'default', settings });
    t.teardown(() => server.stop());
    const temporal = { address: server.address, namespace: 'default' };
    const { connection } = await connectTemporal(temporal);
    await ensureNamespace(connection, 'default', product.searchAttributes).finally(() => connection.close());
    const own = await startStack({ worker: false, temporal });
    t.teardown(() => own.close());
    const place: Deployment = { connection: own.client.connection, namespace: 'default', name: own.taskQueue };
    const workAs = (buildId: string): Promise<RunningWorker> =>
      own.runWorker({ deployment: deploymentOf({ deploymentName: place.name, buildId, promote: false }) });
    const [from, to] = [callerOf(own, 'finance-agent'), callerOf(own, 'hr-agent')];
    const send = async (): Promise<string> =>
      (await good(from.post('/tasks/route', { target: to.id, type: 'x' }))).task_id;
    const drainage = async (): Promise<string | undefined> =>
      (await listBuilds(place)).find(({ buildId }) => buildId === 'old')?.drainage;
    const old = await workAs('old');
    await promoteBuild(place, 'old');
    const open = await send();
    const next = await workAs('next');
    t.teardown(() => next.stop());
    await promoteBuild(place, 'next');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    t.is(await drainage(), 'draining', 'a task is open there');
    await good(to.post(`/tasks/${open}/claim`));
    await good(to.post(`/tasks/${open}/complete`, { result: {} }));
    t.is(await eventually(drainage, (status) => status === 'drained', 60_000), 'drained');
    await old.stop();
    const after = await send();
    await good(to.post(`/tasks/${after}/claim`));
    t.is((await from.get(`/tasks/${open}`)).body.status, 'completed');
  },
);
