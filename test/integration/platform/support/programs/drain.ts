// Registers three things to stop; the argument says how the last of them behaves.
import { configureShutdown, onShutdown } from '../../../../../platform/shutdown.ts';

const [behaviour = 'fine', graceMs = '5000'] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
configureShutdown({
  graceMs: Number(graceMs),
  log: { info: () => undefined, error: (...args: unknown[]) => say(JSON.stringify(args)) },
});
onShutdown('database', () => say('database'));
onShutdown('worker', async () => {
  if (behaviour === 'fail') throw new Error('cannot');
  if (behaviour === 'hang') await new Promise(() => undefined);
  say('worker');
});
onShutdown('api', () => say('api'));
setInterval(() => undefined, 1000);
say('up');
