import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import pino from 'pino';

import { runSealer } from '../../db/audit/sealer.ts';
import { pythonPackage } from '../support/python-package.ts';
import { skip } from '../support/skip.ts';
import { startStack } from '../support/stack.ts';

const VERSION = '4.32.5';
const CONFIG = path.resolve(import.meta.dirname, '../support/schemathesis.toml');
/** Requests that are made up for each operation; 100 for the full run (docs/api-fuzzing.md). */
const EXAMPLES = process.env['SWITCHBOARD_SCHEMATHESIS_EXAMPLES'] ?? '1';
const FULL = Number(EXAMPLES) >= 50;

const UNLIMITED = {
  requestsPerSecond: 1_000_000,
  requestsBurst: 1_000_000,
  creationsPerMinute: 1_000_000,
  notificationsPerMinute: 1_000_000,
  notificationsToOnePerMinute: 1_000_000,
  claims: 1_000_000,
};

interface Fuzzing {
  readonly code: number | null;
  readonly output: string;
}

/** Runs every check against everything the document describes, as somebody. */
function fuzz(t: ExecutionContext, program: string, apiUrl: string, key: string): Promise<Fuzzing> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-schemathesis-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const args = ['--config-file', CONFIG, 'run', `${apiUrl}/openapi.json`, '--checks', 'all', '--no-color'];
  const limits = ['--max-examples', EXAMPLES, '--request-timeout', '60'];
  // The other phases take minutes whatever the number of examples.
  const phases = FULL ? [] : ['--phases', 'examples,fuzzing', '--seed', '1'];
  const child = spawn(program, [...args, ...limits, ...phases, '-H', `Authorization: Bearer ${key}`], { cwd: folder });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, output }));
  });
}

/** What the API wrote at level error: each is a request that failed for a fault of ours. */
function errorLog() {
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
  return { lines, log };
}

for (const who of ['Helena Voss', 'finance-agent'])
  test.serial(`X-1: Schemathesis finds no fault in the API, as ${who}`, async (t) => {
    t.timeout(3_600_000);
    const program = await pythonPackage('schemathesis', VERSION);
    if ('missing' in program) {
      skip(t, program.missing);
      return;
    }
    const { lines, log } = errorLog();
    const stack = await startStack({ log, limits: UNLIMITED });
    t.teardown(() => stack.close());
    // Receipts wait for the seal; teardowns run in reverse.
    t.teardown(runSealer(stack.database, stack.folder, log));
    const { code, output } = await fuzz(t, program.file, stack.apiUrl, stack.keys[who] ?? '');
    t.is(code, 0, output.slice(-8_000));
    t.deepEqual(lines, [], 'no request failed for a fault of the API');
    t.log(output.slice(output.indexOf('= SUMMARY =')));
  });
