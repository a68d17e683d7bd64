import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';

import { z } from 'zod';

const require = createRequire(import.meta.url);

/** The public conformance suite's program. */
const SUITE = path.join(
  path.dirname(require.resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);

const Summary = /^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed/gm;

/** What one run of the suite found. */
export interface SuiteRun {
  readonly exitCode: number | null;
  /** Checks by scenario. */
  readonly scenarios: ReadonlyMap<string, { readonly passed: number; readonly failed: number }>;
  readonly output: string;
}

/** Runs what a revision of the protocol requires, and what the suite reports beside it, against a server. */
export async function runSuite(url: string, requirements: string): Promise<SuiteRun> {
  const child = spawn(process.execPath, [SUITE, 'server', '--url', url, '--requirements', requirements], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const [exitCode] = z
    .tuple([z.number().nullable()])
    .rest(z.unknown())
    .parse(await once(child, 'close'));
  const scenarios = new Map(
    [...output.matchAll(Summary)].map(([, name = '', passed, failed]) => [
      name,
      { passed: Number(passed), failed: Number(failed) },
    ]),
  );
  return { exitCode, scenarios, output };
}
