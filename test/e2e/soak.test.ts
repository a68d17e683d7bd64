import test from 'ava';

import { soak } from '../../bench/soak.ts';
import { startBench } from '../../bench/stack.ts';

const MINUTES = 0.75;
/** Caches and heaps still fill in so short a time; a leak of what a life holds would be far above. */
const MOST_GROWTH = 0.3;

test('OPS-2: under half of the load that saturates, memory, connections and work in flight stay bounded', async (t) => {
  t.timeout(300_000);
  const bench = await startBench('single');
  t.teardown(() => bench.close());
  const { lives, failed, growth, connections, inFlight, text } = await soak(bench, MINUTES);
  t.deepEqual(failed, []);
  t.true(lives > 50, text);
  for (const [name, change] of Object.entries(growth)) t.true(change < MOST_GROWTH, `${name}\n${text}`);
  t.true(Math.max(...connections) - Math.min(...connections) <= 20, text);
  t.true(Math.max(...inFlight) < 60, text);
});
