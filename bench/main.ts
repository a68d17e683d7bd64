// npm run bench [-- lists|open-tasks] [--rows N]: figures of docs/performance.md, measured on this machine.
import { benchLists } from './lists.ts';
import { benchOpenTasks } from './open-tasks.ts';
import { startBench } from './stack.ts';

const args = process.argv.slice(2);
const only = args.find((arg) => !arg.startsWith('-') && !/^\d+$/.test(arg));
const rows = Number(args[args.indexOf('--rows') + 1] ?? 1_000_000) || 1_000_000;

const bench = await startBench();
try {
  if (only === undefined || only === 'open-tasks') await benchOpenTasks(bench, 1_000);
  if (only === undefined || only === 'lists') await benchLists(bench, rows);
} finally {
  await bench.close();
}
