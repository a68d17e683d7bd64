import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import test from 'ava';

import { createCodec, sealingOf } from '../../../temporal/codec.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { fromWire, toWire } from '../../../temporal/remote-codec.ts';
import { bundleWorkflows } from '../../../workers/orchestrator.ts';
import { mapPayloads, workflowIdOf } from '../../support/history-payloads.ts';
import type { HistoryJson } from '../../support/history-payloads.ts';
import { fixedKeys } from '../../support/memory-keys.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../replay/histories');
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => path.parse(name).name);

const keys = fixedKeys();
const codec = createCodec(keys);

let folder: string;
let code: string;
let codePath: string;
test.before(async (t) => {
  t.timeout(120_000);
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  folder = mkdtempSync(path.join(tmpdir(), 'switchboard-replay-'));
  code = (await bundleWorkflows()).code;
  codePath = save('bundle', code);
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function save(name: string, source: string): string {
  const file = path.join(folder, `${name}.js`);
  writeFileSync(file, source);
  return file;
}

const recorded = (name: string): HistoryJson =>
  JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')) as HistoryJson;

/** The history as a server would hold it: encrypted, each payload for its workflow. */
const encrypted = (history: HistoryJson): Promise<HistoryJson> =>
  mapPayloads(history, async (payload, workflowId) => {
    const [sealed] = await codec.encode([fromWire(payload)], { type: 'workflow', namespace: 'default', workflowId });
    return toWire(sealed ?? {});
  });

/** Replays as a worker does, with the same converter: payloads are decrypted before, and encrypted after. */
const replay = async (history: HistoryJson, bundle = codePath): Promise<void> =>
  Worker.runReplayHistory(
    { workflowBundle: { codePath: bundle }, dataConverter: createDataConverter(keys) },
    history,
    workflowIdOf(history),
  );

for (const name of names)
  test(`OPS-3: workflow code replays the recorded history ${name}`, async (t) => {
    await t.notThrowsAsync(replay(await encrypted(recorded(name))));
  });

test('OPS-3: what is replayed is encrypted, and a history that was tampered with does not replay', async (t) => {
  const history = await encrypted(recorded('task-completed'));
  let count = 0;
  await mapPayloads(history, (payload) => {
    if (sealingOf(fromWire(payload))) count += 1;
    return Promise.resolve(payload);
  });
  t.true(count >= 10, String(count));
  let left = 1;
  const tampered = await mapPayloads(history, (payload) => {
    if (left === 0) return Promise.resolve(payload);
    left -= 1;
    const data = Buffer.from(payload.data ?? '', 'base64');
    data[20] = (data[20] ?? 0) ^ 1;
    return Promise.resolve({ ...payload, data: data.toString('base64') });
  });
  await t.throwsAsync(replay(tampered));
});

/** Changes that may not be made to running workflows; each is a line of the bundle replaced. */
const INCOMPATIBLE: readonly {
  readonly change: string;
  readonly from: RegExp;
  readonly to: string;
  readonly history: string;
}[] = [
  { change: 'a renamed activity', from: /\blocal\.record\b/g, to: 'local.write', history: 'task-completed' },
  { change: 'an activity in the place of another', from: /\.admit\(\{/g, to: '.mask({', history: 'task-admitted' },
  {
    change: 'a wait that was not there',
    from: /if \(!\(?await desk\.admit\(\)\)?\)/g,
    to: 'await new Promise((resolve) => setTimeout(resolve, 1000)); if (!(await desk.admit()))',
    history: 'task-admitted',
  },
  {
    change: 'a renamed child workflow',
    from: /FANOUT_WORKFLOW = 'fanout'/g,
    to: "FANOUT_WORKFLOW = 'spread'",
    history: 'session-paused-and-handed-off',
  },
];

for (const { change, from, to, history } of INCOMPATIBLE)
  test(`OPS-3: the replay finds ${change}`, async (t) => {
    const patched = code.replaceAll(from, to);
    t.true(patched !== code, 'the bundle holds the line that is changed');
    const bundle = save(change.replaceAll(' ', '-'), patched);
    const error = await t.throwsAsync(replay(await encrypted(recorded(history)), bundle));
    t.regex(String(error), /[Nn]on-?determinis|TMPRL1100/);
  });
