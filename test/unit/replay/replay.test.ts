import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import test from 'ava';

import { bundleWorkflows } from '../../../workers/orchestrator.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../replay/histories');

let folder: string;
let codePath: string;
test.before(async (t) => {
  t.timeout(120_000);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  folder = mkdtempSync(path.join(tmpdir(), 'switchboard-replay-'));
  codePath = path.join(folder, 'bundle.js');
  writeFileSync(codePath, (await bundleWorkflows()).code);
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json')))
  test(`OPS-3: workflow code replays the recorded history ${path.parse(file).name}`, async (t) => {
    const history: unknown = JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8'));
    await t.notThrowsAsync(Worker.runReplayHistory({ workflowBundle: { codePath } }, history));
  });
