import test from 'ava';

import { runChaos } from '../chaos/chaos.ts';
import { openStage } from '../chaos/stage.ts';
import { testServers } from '../support/environment.ts';

/** SWITCHBOARD_CHAOS_SEED plays other faults; `npm run chaos` plays more and longer ones. */
const SEED = Number(process.env['SWITCHBOARD_CHAOS_SEED'] ?? 20_261_121);

test('TASK-7, OPS-5: whatever is killed, halted, cut off and slowed for half a minute, nothing is lost and nothing twice', async (t) => {
  t.timeout(400_000);
  const stage = await openStage({ layout: 'single', workflowBundle: testServers().workflowBundle });
  t.teardown(() => stage.close());
  const said: string[] = [];
  const report = await runChaos(stage, {
    tasks: 40,
    seconds: 30,
    longCutSeconds: 0,
    seed: SEED,
    say: (line) => said.push(line),
  });
  t.deepEqual(report.troubles.bugs, []);
  t.deepEqual(Object.values(report.breaches).flat(), [], said.join('\n'));
  t.true(report.faults.length >= 5, said.join('\n'));
});
