import { memoryOf } from './memory.ts';
import type { BenchStack } from './stack.ts';

/** Opens so many tasks that stay open, ten at a time, and reads what the processes hold in memory. */
export async function benchOpenTasks(bench: BenchStack, count: number): Promise<void> {
  const started = performance.now();
  const send = async (): Promise<void> => {
    const response = await fetch(`${bench.apiUrl}/tasks/route`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await bench.member('finance-agent').token()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        target: 'manager',
        type: 'bench',
        description: 'Claim of someone@example.com',
        payload: { amount: 1 },
      }),
    });
    if (response.status !== 202) throw new Error(`route answered ${String(response.status)}: ${await response.text()}`);
  };
  let left = count;
  const runners = Array.from({ length: 10 }, async () => {
    while (left > 0) {
      left -= 1;
      await send();
    }
  });
  await Promise.all(runners);
  const seconds = (performance.now() - started) / 1000;
  console.log(`${String(count)} tasks opened in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(0)}/s)\n`);
  console.log('| process | RSS now | peak |\n| --- | --- | --- |');
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  for (const name of [...bench.workers, ...bench.apis, 'mcp']) {
    const { now, peak } = memoryOf(bench.stack.pid(name));
    console.log(`| ${name} | ${now.toFixed(0)} MiB | ${peak.toFixed(0)} MiB |`);
  }
}
