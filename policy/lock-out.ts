import * as cedar from '@cedar-policy/cedar-wasm/nodejs';

import { basePolicies } from './base.ts';
import { asSet } from './cedar.ts';
import type { Policy } from './cedar.ts';
import { requestOf } from './request.ts';
import type { Subject } from './request.ts';

const CANDIDATE = 'candidate';

/**
 * Whether policies would keep every one of an organisation's administrators from changing policies: then nobody could
 * ever take them back.
 */
export function locksOut(policies: readonly Policy[], administrators: readonly Subject[]): boolean {
  if (policies.length === 0) return false;
  const parsed = cedar.preparsePolicySet(CANDIDATE, asSet(policies));
  if (parsed.type === 'failure') return true;
  return !administrators.some((administrator) => isLeftIn(administrator));
}

function isLeftIn(administrator: Subject): boolean {
  const resource = { kind: 'organisation' as const, organisation_id: administrator.organisation_id };
  const answer = cedar.statefulIsAuthorized({
    ...requestOf(administrator, 'policy:manage', resource),
    preparsedPolicySetId: CANDIDATE,
    preparsedSchemaName: basePolicies().schemaName,
  });
  return (
    answer.type === 'success' &&
    answer.response.diagnostics.reason.length === 0 &&
    answer.response.diagnostics.errors.length === 0
  );
}
