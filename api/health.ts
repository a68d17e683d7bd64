import type { Router } from 'express';

import type { ApiDeps } from './deps.ts';

/** A poller that asked for work this recently is there. */
const POLLED_WITHIN_MS = 90_000;
/** Work that waits longer than this is not being received, whatever the pollers say. */
const OLDEST_BACKLOG_S = 30;
const WITHIN_MS = 3_000;

type State = 'ok' | 'unreachable' | 'no worker' | 'work is not received';

async function databaseState({ database }: ApiDeps): Promise<State> {
  try {
    await database.unscoped((sql) => sql.query('SELECT 1'));
    return 'ok';
  } catch {
    return 'unreachable';
  }
}

/** Temporal's view of the queue: somebody polls it, and what is in it does not grow old. */
async function temporalState({ client, taskQueue }: ApiDeps): Promise<{ temporal: State; worker: State }> {
  try {
    const queue = await client.withDeadline(Date.now() + WITHIN_MS, () =>
      client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
        // Without a type: tasks of workflows.
        reportStats: true,
      }),
    );
    const polled = queue.pollers.some(
      (poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1000 > Date.now() - POLLED_WITHIN_MS,
    );
    if (!polled) return { temporal: 'ok', worker: 'no worker' };
    const age = Number(queue.stats?.approximateBacklogAge?.seconds ?? 0);
    return { temporal: 'ok', worker: age > OLDEST_BACKLOG_S ? 'work is not received' : 'ok' };
  } catch {
    return { temporal: 'unreachable', worker: 'unreachable' };
  }
}

/** Health for orchestrators of processes: live says that the process answers, ready that it can do its work. */
export function mountHealth(router: Router, deps: ApiDeps, isDraining: () => boolean): void {
  router.get('/health/live', (_req, res) => {
    res.json({ status: 'ok' });
  });
  router.get(['/health/ready', '/health'], async (req, res) => {
    const [database, { temporal, worker }] = await Promise.all([databaseState(deps), temporalState(deps)]);
    const ready = !isDraining() && [database, temporal, worker].every((state) => state === 'ok');
    // Older clients ask /health and expect 200 with the state in the body.
    res.status(ready || req.path === '/health' ? 200 : 503);
    res.json({
      status: isDraining() ? 'draining' : ready ? 'healthy' : 'degraded',
      version: '0.1.0',
      database: database === 'ok' ? 'connected' : database,
      temporal,
      worker,
      // Of this process; which limits and whose is for the record and the log.
      refused_last_minute: deps.limits.refusals.lastMinute,
      stream: deps.feed.connected ? 'ok' : 'reconnecting',
    });
  });
  router.get('/status', (_req, res) => {
    res.json({ status: 'ok', version: '0.1.0' });
  });
}
