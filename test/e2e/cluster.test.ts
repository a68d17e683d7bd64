import test from 'ava';

import { findServerPrograms } from '../../temporal/production/binaries.ts';
import { runChaos } from '../chaos/chaos.ts';
import { openStage } from '../chaos/stage.ts';
import { testServers } from '../support/environment.ts';
import { skip } from '../support/skip.ts';

test('OPS-2, OPS-5: two workers and two APIs on the real Temporal server go on while one after the other is broken', async (t) => {
  t.timeout(1_500_000);
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const programs = await findServerPrograms(say).catch(() => undefined);
  if (programs === undefined) {
    skip(t, 'the Temporal server cannot be built here, since there is no Go');
    return;
  }
  const stage = await openStage({ layout: 'cluster', workflowBundle: testServers().workflowBundle });
  t.teardown(() => stage.close());
  const names = ['postgres', 'temporal', 'api-1', 'api-2', 'worker-1', 'worker-2'];
  t.deepEqual([...stage.parts].sort(), names.sort());
  const report = await runChaos(stage, { tasks: 20, seconds: 15, longCutSeconds: 0, seed: 3, say });
  t.deepEqual(report.troubles.bugs, []);
  t.deepEqual(Object.values(report.breaches).flat(), [], said.join('\n'));
});
