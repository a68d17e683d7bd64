import { readFileSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { startMcpHttp } from '../../../mcp-extension/http.ts';
import { startFront } from '../../support/conformance/front.ts';
import { conformanceProfile } from '../../support/conformance/server.ts';
import { runSuite } from '../../support/conformance/suite.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const DOCUMENT = path.resolve(import.meta.dirname, '../../../docs/mcp-conformance.md');

/** Scenarios without a single check of their own, with the reason in docs/mcp-conformance.md. */
const EMPTY = ['tasks-status-notifications'];
const LEAST = { '2025-11-25': { scenarios: 33, checks: 84 }, '2026-07-28': { scenarios: 50, checks: 194 } } as const;

for (const [revision, least] of Object.entries(LEAST)) {
  test(`MCP-2, MCP-4: the public conformance suite passes for ${revision}, extensions included`, async (t) => {
    t.timeout(180_000);
    const api = 'http://127.0.0.1:1';
    const build = conformanceProfile();
    const mcp = await startMcpHttp({ port: 0, host: '127.0.0.1', apiUrl: api, log: silent, build });
    t.teardown(() => mcp.close());
    const front = await startFront(mcp.url, 'sbk_conformance');
    t.teardown(() => front.close());
    const { exitCode, scenarios, output } = await runSuite(front.url, revision);
    t.is(exitCode, 0, output);
    const failing = [...scenarios].filter(([, { failed }]) => failed > 0);
    t.deepEqual(failing, [], output);
    const empty = [...scenarios].filter(([, { passed }]) => passed === 0).map(([name]) => name);
    t.deepEqual(empty, revision === '2026-07-28' ? EMPTY : []);
    t.true(scenarios.size >= least.scenarios, `${String(scenarios.size)} scenarios`);
    const checks = [...scenarios.values()].reduce((sum, { passed }) => sum + passed, 0);
    t.true(checks >= least.checks, `${String(checks)} checks`);
  });
}

test('MCP-2: what the suite does not check is listed with its reason', (t) => {
  const document = readFileSync(DOCUMENT, 'utf8');
  for (const name of EMPTY) t.true(document.includes(`\`${name}\``), name);
});
