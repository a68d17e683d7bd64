import * as cedar from '@cedar-policy/cedar-wasm/nodejs';

import type { Principal } from '../contracts/principal.ts';
import { setAdditions } from '../policy/additions.ts';
import { authorise } from '../policy/authorise.ts';
import { basePolicies } from '../policy/base.ts';
import { requestOf } from '../policy/request.ts';
import type { Resource } from '../policy/resource.ts';

const TIMES = 5_000;
const WARM_UP = 500;

const agent: Principal = {
  organisation_id: 'org_bench',
  kind: 'agent',
  id: 'agent_bench',
  name: 'bench',
  role: 'finance',
  acts_for: 'user_bench',
  administrator: false,
  clearance: ['email', 'phone', 'card', 'iban'],
};
const task: Resource = {
  kind: 'task',
  id: 'task_bench',
  organisation_id: 'org_bench',
  owners: ['agent:other', 'user:other'],
  assignees: ['agent:agent_bench'],
  target_role: 'finance',
  allowed_tools: ['send_task', 'claim_task', 'complete_task', 'fetch_status'],
};

/** Forbids as organisations write them; none hits, so all of them are looked at. */
const additions = (count: number): string =>
  Array.from(
    { length: count },
    (_, at) =>
      `@id("rule-${String(at)}") @why("bench") forbid (principal is Agent, action == Action::"task:complete", resource)
       when { principal.role == "role-${String(at)}" && resource has target_role && resource.target_role == "hr" };`,
  ).join('\n');

function measure(name: string, call: () => unknown): void {
  for (let n = 0; n < WARM_UP; n += 1) call();
  const taken: number[] = [];
  for (let n = 0; n < TIMES; n += 1) {
    const started = performance.now();
    call();
    taken.push(performance.now() - started);
  }
  const sorted = taken.sort((a, b) => a - b);
  const at = (share: number): string => `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3)} ms`;
  console.log(`| ${name} | ${at(0.5)} | ${at(0.95)} | ${at(0.99)} |`);
}

/** One decision, with and without policies of an organisation, beside what Cedar takes to answer from an empty set. */
export function benchPolicy(): void {
  const { schemaName, policies } = basePolicies();
  cedar.preparsePolicySet('empty', { staticPolicies: {} });
  const request = requestOf(agent, 'task:complete', task);
  console.log(`${String(policies.length)} policies of the release, ${String(TIMES)} decisions each\n`);
  console.log('| One decision | p50 | p95 | p99 |\n| --- | --- | --- | --- |');
  measure('floor: an empty set of policies', () =>
    cedar.statefulIsAuthorized({
      ...request,
      preparsedPolicySetId: 'empty',
      preparsedSchemaName: schemaName,
      validateRequest: true,
    }),
  );
  for (const count of [0, 10, 50]) {
    setAdditions('org_bench', count + 1, additions(count));
    measure(`${String(count)} policies of the organisation`, () => authorise(agent, 'task:complete', task));
  }
}
