import * as cedar from '@cedar-policy/cedar-wasm/nodejs';

import type { Principal } from '../contracts/principal.ts';
import { setAdditions } from '../policy/additions.ts';
import { authorise } from '../policy/authorise.ts';
import { basePolicies } from '../policy/base.ts';
import { requestOf } from '../policy/request.ts';
import type { Resource } from '../policy/resource.ts';

const TIMES = 20_000;
const WARM_UP = 2_000;

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
  const [wall, cpu]: number[][] = [[], []];
  for (let n = 0; n < TIMES; n += 1) {
    const [started, before] = [performance.now(), process.threadCpuUsage()];
    call();
    wall?.push(performance.now() - started);
    const { user, system } = process.threadCpuUsage(before);
    cpu?.push((user + system) / 1_000);
  }
  const at = (times: number[] = [], share: number): string =>
    `${(times.sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0).toFixed(3)} ms`;
  console.log(`| ${name} | ${at(wall, 0.5)} | ${at(wall, 0.99)} | ${at(cpu, 0.5)} | ${at(cpu, 0.99)} |`);
}

/** One decision, with and without policies of an organisation, beside what Cedar takes to answer from an empty set. */
export function benchPolicy(): void {
  const { schemaName, policies } = basePolicies();
  cedar.preparsePolicySet('empty', { staticPolicies: {} });
  const request = requestOf(agent, 'task:complete', task);
  console.log(`${String(policies.length)} policies of the release, ${String(TIMES)} decisions each\n`);
  // On a machine that does much else, the time of the processor says more than that of the clock.
  console.log(
    '| One decision | p50 | p99 | p50 of the processor | p99 of the processor |\n| --- | --- | --- | --- | --- |',
  );
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
