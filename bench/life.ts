import { clientOf } from './client.ts';
import { startFloor } from './floor/floor.ts';
import { load, median, percentile } from './load.ts';
import type { BenchStack } from './stack.ts';

const ROUNDS = 5;
const LIVES = 150;

/** A task's life over HTTP: routed with words that are masked, claimed, completed with a result. */
export function lifeOf(bench: BenchStack): () => Promise<void> {
  const sender = clientOf(bench, 'finance-agent');
  const receiver = clientOf(bench, 'manager-agent');
  return async () => {
    const { task_id } = await sender.post('/tasks/route', {
      target: 'manager',
      type: 'bench',
      description: 'Claim of someone@example.com',
      payload: { amount: 1 },
    });
    await receiver.post(`/tasks/${String(task_id)}/claim`, {});
    await receiver.post(`/tasks/${String(task_id)}/complete`, { result: { paid: true } });
  };
}

/** (a) Lives a second, product against the bare SDK, in turns so that a noisy neighbour meets both. */
export async function benchLife(bench: BenchStack): Promise<void> {
  const floor = await startFloor(bench.stack.config, bench.workers.length);
  const life = lifeOf(bench);
  console.log(
    '| in flight | bare SDK | product | ratio | bare p50 | product p50 |\n| --- | --- | --- | --- | --- | --- |',
  );
  try {
    await load(40, 10, floor.life);
    await load(40, 10, life);
    for (const inFlight of [1, 10, 40]) {
      const lives = inFlight === 1 ? 30 : LIVES;
      const bare = [];
      const product = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        bare.push(await load(lives, inFlight, floor.life));
        product.push(await load(lives, inFlight, life));
      }
      const rate = (runs: readonly { rate: number }[]): number => median(runs.map((run) => run.rate));
      const p50 = (runs: readonly { times: readonly number[] }[]): number =>
        median(runs.map((run) => percentile(run, 0.5)));
      console.log(
        `| ${String(inFlight)} | ${rate(bare).toFixed(1)}/s | ${rate(product).toFixed(1)}/s | ${(rate(product) / rate(bare)).toFixed(2)} | ${p50(bare).toFixed(0)} ms | ${p50(product).toFixed(0)} ms |`,
      );
    }
  } finally {
    await floor.close();
  }
}
