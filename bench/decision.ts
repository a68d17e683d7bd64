import { clientOf } from './client.ts';
import { startFloor } from './floor/floor.ts';
import { load, percentile } from './load.ts';
import type { Load } from './load.ts';
import type { BenchStack } from './stack.ts';

const COUNT = 200;
const APPROVER = 'Ines Calder';

interface Decisions {
  /** Asks, decides, and waits until the requester has heard of it. */
  readonly run: () => Promise<void>;
  /** Milliseconds from sending the decision to hearing of it. */
  readonly times: number[];
  readonly close: () => Promise<void>;
}

/** A person decides, and the requester, who listens to the stream, is told. */
async function startDecisions(bench: BenchStack): Promise<Decisions> {
  const requester = clientOf(bench, 'finance-agent');
  const approver = clientOf(bench, APPROVER);
  const waiting = new Map<string, () => void>();
  const times: number[] = [];
  const close = await requester.listen('approvals', ({ type, id }) => {
    if (type === 'approval.decided') waiting.get(String(id))?.();
  });
  const run = async (): Promise<void> => {
    const asked = await requester.post('/approvals', {
      subject: 'x',
      approvers: { users: [bench.member(APPROVER).id] },
    });
    const id = String(asked['approval_id']);
    const resumed = new Promise<number>((resolve) => waiting.set(id, () => resolve(performance.now())));
    const decided = performance.now();
    await approver.post(`/approvals/${id}/respond`, { decision: 'approve' });
    times.push((await resumed) - decided);
    waiting.delete(id);
  };
  return { run, times, close };
}

/** (b) Decision to resumed requester against one bare update, of workflows that wait. */
export async function benchDecision(bench: BenchStack): Promise<void> {
  const floor = await startFloor(bench.stack.config, bench.workers.length);
  const product = await startDecisions(bench);
  const bare: number[] = [];
  const update = async (): Promise<void> => {
    const task = await floor.open();
    const at = performance.now();
    await task.change('claim');
    bare.push(performance.now() - at);
    await task.change('complete');
  };
  try {
    await load(20, 1, update);
    await load(20, 1, product.run);
    bare.length = 0;
    product.times.length = 0;
    for (let round = 0; round < 4; round += 1) {
      await load(COUNT / 4, 1, update);
      await load(COUNT / 4, 1, product.run);
    }
  } finally {
    await product.close();
    await floor.close();
  }
  const of = (all: number[]): Pick<Load, 'times'> => ({ times: all.sort((a, b) => a - b) });
  const line = (name: string, share: number): string => {
    const [low, high] = [percentile(of(bare), share), percentile(of(product.times), share)];
    return `| ${name} | ${low.toFixed(1)} ms | ${high.toFixed(1)} ms | ${(high / low).toFixed(2)} |`;
  };
  console.log('| | bare update | decision → resumed | ratio |\n| --- | --- | --- | --- |');
  console.log([line('p50', 0.5), line('p95', 0.95), line('p99', 0.99)].join('\n'));
}
