// npm run check: formatting, lint, import rules, types, unused code and generated files; all of them, whatever fails.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const SHOWN_LINES = 150;

interface Check {
  readonly name: string;
  readonly run: () => Promise<{ readonly ok: boolean; readonly output: string }>;
}

/** A tool of node_modules/.bin, which is first on the path. */
const tool = (name: string, command: string, ...args: string[]): Check => ({
  name,
  run: () =>
    new Promise((resolve) => {
      const child = spawn(command, args, { cwd: root, shell: process.platform === 'win32' });
      let output = '';
      const hear = (chunk: Buffer): void => void (output += chunk.toString());
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', (error) => resolve({ ok: false, output: `${command} cannot be run: ${error.message}` }));
      child.once('close', (code) => resolve({ ok: code === 0, output }));
    }),
});

const NO_CODE = ['docs', 'profiles', 'deploy', 'node_modules'];
const rooms = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NO_CODE.includes(entry.name))
  .map((entry) => entry.name);

/** Loaded late: a fault in the code it reads must fail this check alone. */
const drift: Check = {
  name: 'generated files',
  run: async () => {
    try {
      const { renderAll } = await import('./generate/all.ts');
      const stale = (await renderAll()).filter(({ present, wanted }) => present !== wanted);
      const files = stale.map(({ file }) => `  ${file}`).join('\n');
      return { ok: stale.length === 0, output: `Not as the code says; run npm run generate:\n${files}` };
    } catch (error) {
      return { ok: false, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  },
};

const CHECKS: readonly Check[] = [
  tool('formatting (prettier)', 'prettier', '--check', '--log-level', 'warn', '.'),
  tool('lint (eslint)', 'eslint', '--max-warnings', '0', '.'),
  tool('import rules (dependency-cruiser)', 'depcruise', '--config', '.dependency-cruiser.cjs', ...rooms),
  tool('types (tsc)', 'tsc', '--noEmit', '-p', '.'),
  tool('unused code (knip)', 'knip', '--no-progress'),
  drift,
];

function shorten(output: string): string {
  const lines = output.trimEnd().split('\n');
  const rest = lines.length - SHOWN_LINES;
  return [...lines.slice(0, SHOWN_LINES), ...(rest > 0 ? [`… ${String(rest)} more lines`] : [])].join('\n');
}

let failed = 0;
for (const { name, run } of CHECKS) {
  const started = Date.now();
  const { ok, output } = await run();
  console.log(`${ok ? '✔' : '✘'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${shorten(output)}\n`);
  if (!ok) failed += 1;
}
console.log(failed === 0 ? 'all checks passed' : `${String(failed)} of ${String(CHECKS.length)} checks failed`);
process.exit(failed === 0 ? 0 : 1);
