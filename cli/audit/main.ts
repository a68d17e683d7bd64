// npm run audit: the same as `switchboard audit`, with little memory however long the record is.
import { setFlagsFromString } from 'node:v8';

// A record passes through page by page. V8 would take 100 MiB more for garbage and gain nothing by it; said before
// anything is loaded, since what it took it keeps.
setFlagsFromString('--semi-space-growth-factor=1');

try {
  const { runAudit } = await import('./index.ts');
  process.exit(await runAudit(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
