import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarValueJson, Clause, Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

import type { Action } from './actions.ts';
import { policiesFor } from './additions.ts';
import { authorise } from './authorise.ts';
import type { Decision } from './authorise.ts';
import { basePolicies } from './base.ts';
import type { Policy } from './cedar.ts';
import { attributesRead } from './attributes-read.ts';
import { requestOf } from './request.ts';
import type { CedarRequest, Subject } from './request.ts';
import type { Resource } from './resource.ts';

/** A policy with how it stands to a question: its conditions one by one. */
export interface ExplainedPolicy extends Pick<Policy, 'id' | 'effect' | 'why' | 'text'> {
  readonly conditions: readonly { readonly text: string; readonly holds: boolean }[];
}

/** A decision and what led to it. */
export interface Explanation extends Pick<Decision, 'allow' | 'reason'> {
  readonly deciding: readonly ExplainedPolicy[];
  /** Where it is denied: the policies that permit this action to some. */
  readonly would_permit: readonly ExplainedPolicy[];
  /** What these policies read, e.g. `principal.role`, and what it was. */
  readonly looked_at: Readonly<Record<string, CedarValueJson>>;
}

/** One condition of a policy as a policy of its own, which holds where Cedar says that it permits. */
interface Probe {
  readonly policyId: string;
  readonly text: string;
  readonly json: PolicyJson;
}

const ANYTHING: PolicyJson = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [],
};
const SET = 'explanation';

/** Says why a principal may or may not do something: the same decision, with its policies taken apart. */
export function explain(principal: Subject, action: Action, resource: Resource): Explanation {
  const decision = authorise(principal, action, resource);
  const request = requestOf(principal, action, resource);
  const policies = policiesFor(principal.organisation_id);
  const deciding = policies.filter(({ id }) => decision.policies.includes(id));
  const candidates = decision.allow ? [] : policies.filter(({ effect }) => effect === 'permit');
  const covering = holding(
    request,
    candidates.map((policy) => ({ policyId: policy.id, text: '', json: { ...ANYTHING, action: policy.json.action } })),
  );
  const permits = candidates.filter((_, at) => covering.has(at));
  const probes = [...deciding, ...permits].flatMap(probesOf);
  const holds = holding(request, probes);
  const explained = ({ id, effect, why, text }: Policy): ExplainedPolicy => {
    const conditions = probes.flatMap((probe, at) =>
      probe.policyId === id ? [{ text: probe.text, holds: holds.has(at) }] : [],
    );
    return { id, effect, why, text, conditions };
  };
  return {
    allow: decision.allow,
    reason: decision.reason,
    deciding: deciding.map(explained),
    would_permit: permits.map(explained),
    looked_at: attributesRead([...deciding, ...permits], request),
  };
}

/** Which of the probes hold, by their place in the list. */
function holding(request: CedarRequest, probes: readonly Probe[]): ReadonlySet<number> {
  const staticPolicies = Object.fromEntries(probes.map(({ json }, at) => [String(at), json]));
  const parsed = cedar.preparsePolicySet(SET, { staticPolicies });
  if (parsed.type === 'failure') return new Set();
  const { schemaName } = basePolicies();
  const answer = cedar.statefulIsAuthorized({
    ...request,
    preparsedPolicySetId: SET,
    preparsedSchemaName: schemaName,
  });
  // A condition that reads what is not there cannot be evaluated: it does not hold.
  return new Set(answer.type === 'success' ? answer.response.diagnostics.reason.map(Number) : []);
}

function probesOf({ id, json }: Policy): Probe[] {
  const scopes: PolicyJson[] = [];
  if (json.principal.op !== 'All') scopes.push({ ...ANYTHING, principal: json.principal });
  if (json.resource.op !== 'All') scopes.push({ ...ANYTHING, resource: json.resource });
  const clauses = json.conditions.flatMap(partsOf).map((clause) => ({ ...ANYTHING, conditions: [clause] }));
  return [...scopes, ...clauses].map((probe) => ({ policyId: id, text: textOf(probe), json: probe }));
}

/** `when {a && b}` is two conditions, and so is `unless {a || b}`. */
function partsOf({ kind, body }: Clause): Clause[] {
  const operands = kind === 'when' ? binary(body, '&&') : binary(body, '||');
  return operands ? operands.flatMap((one) => partsOf({ kind, body: one })) : [{ kind, body }];
}

function binary(body: Expr, operator: '&&' | '||'): [Expr, Expr] | undefined {
  const operands = (body as Record<string, { left: Expr; right: Expr } | undefined>)[operator];
  return operands && [operands.left, operands.right];
}

/** A probe as Cedar writes it, without what stands around its one condition. */
function textOf(probe: PolicyJson): string {
  const answer = cedar.policyToText(probe);
  if (answer.type === 'failure') return '';
  const text = answer.text.replaceAll(/\s+/g, ' ').trim();
  const [, kind = '', condition = ''] = /(when|unless) \{ ?(.*?) ?\};$/.exec(text) ?? [];
  if (condition !== '') return kind === 'unless' ? `unless ${condition}` : condition;
  return (
    /^permit\((.*)\);$/
      .exec(text)?.[1]
      ?.split(', ')
      .find((part) => part.includes(' ')) ?? text
  );
}
