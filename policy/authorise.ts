import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs';

import type { Action } from './actions.ts';
import { additionsOf, additionsSet } from './additions.ts';
import { basePolicies } from './base.ts';
import type { BasePolicies } from './base.ts';
import { requestOf } from './request.ts';
import type { CedarRequest, Subject } from './request.ts';
import type { Resource } from './resource.ts';

/** What policy says, and why: for the caller and for the audit event. */
export interface Decision {
  readonly allow: boolean;
  /** Ids of the deciding policies; none where nothing permits it. */
  readonly policies: readonly string[];
  readonly reason: string;
}

/** What one set of policies says; `failed` where it could not be asked. */
interface Verdict {
  readonly allow: boolean;
  readonly policies: readonly string[];
  readonly failed: string | undefined;
}

/**
 * Decides whether a principal may do something to a resource. Denied unless a policy of the release permits it and none
 * forbids it; the organisation's own policies are asked only where it would be allowed, so they can only narrow.
 */
export function authorise(principal: Subject, action: Action, resource: Resource): Decision {
  const base = basePolicies();
  const request = requestOf(principal, action, resource);
  const what = `${action} on this ${resource.kind}`;
  const verdict = ask(base, base.setName, request);
  if (verdict.failed !== undefined)
    return { allow: false, policies: verdict.policies, reason: `${what} is refused: ${verdict.failed}` };
  if (verdict.allow) {
    const narrowed = narrow(base, principal.organisation_id, action, request);
    if (narrowed?.failed !== undefined)
      return { allow: false, policies: narrowed.policies, reason: `${what} is refused: ${narrowed.failed}` };
    return narrowed ? forbidden(what, narrowed.policies) : permitted(what, inOrder(base, verdict.policies));
  }
  if (verdict.policies.length > 0) return forbidden(what, inOrder(base, verdict.policies));
  return { allow: false, policies: [], reason: `No policy permits this ${principal.role} ${principal.kind} ${what}.` };
}

const forbidden = (what: string, policies: readonly string[]): Decision => ({
  allow: false,
  policies,
  reason: `${what} is forbidden by ${policies.join(', ')}.`,
});
const permitted = (what: string, policies: readonly string[]): Decision => ({
  allow: true,
  policies,
  reason: `${what} is permitted by ${policies.join(', ')}.`,
});

const inOrder = ({ policies }: BasePolicies, ids: readonly string[]): string[] =>
  policies.map(({ id }) => id).filter((id) => ids.includes(id));

/** The forbids of an organisation that hit a request; undefined where none does. */
function narrow(
  base: BasePolicies,
  organisationId: string,
  action: Action,
  request: CedarRequest,
): Verdict | undefined {
  const additions = additionsOf(organisationId);
  if (additions === undefined) return undefined;
  const unreadable = { allow: false, policies: [], failed: 'the policies of the organisation cannot be read.' };
  if (additions === 'unreadable') return unreadable;
  if (!additions.covers(action)) return undefined;
  const set = additionsSet(organisationId, additions);
  if (set === undefined) return unreadable;
  const verdict = ask(base, set, request, false);
  return verdict.failed === undefined && verdict.policies.length === 0 ? undefined : verdict;
}

/** Asks one set. What cannot be evaluated is refused, and says so. */
function ask({ schemaName }: BasePolicies, set: string, request: CedarRequest, validateRequest = true): Verdict {
  const answer = cedar.statefulIsAuthorized({
    ...request,
    preparsedPolicySetId: set,
    preparsedSchemaName: schemaName,
    validateRequest,
  });
  return verdictOf(answer);
}

function verdictOf(answer: AuthorizationAnswer): Verdict {
  if (answer.type === 'failure')
    return { allow: false, policies: [], failed: answer.errors.map(({ message }) => message).join('; ') };
  const { decision, diagnostics } = answer.response;
  const failed = diagnostics.errors.map(({ policyId, error }) => `${policyId} cannot be evaluated: ${error.message}`);
  return {
    allow: decision === 'allow' && failed.length === 0,
    policies: failed.length === 0 ? diagnostics.reason : diagnostics.errors.map(({ policyId }) => policyId),
    failed: failed.length === 0 ? undefined : failed.join('; '),
  };
}
