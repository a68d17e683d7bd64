import { basePolicies } from './base.ts';
import { readPolicies, validationFaults } from './cedar.ts';
import type { Policy } from './cedar.ts';

/** Most that an organisation adds: decisions stay fast, and somebody can still read it all. */
export const ADDITION_LIMITS = { bytes: 32 * 1024, policies: 50 } as const;

/** What an organisation's policies are, and everything that speaks against using them. */
export interface CheckedAdditions {
  readonly policies: readonly Policy[];
  readonly faults: readonly string[];
}

/** Checks what an organisation would add: readable, forbids only, known to the schema, within the limits. */
export function checkAdditions(text: string): CheckedAdditions {
  const size = Buffer.byteLength(text);
  if (size > ADDITION_LIMITS.bytes)
    return { policies: [], faults: [`is ${String(size)} bytes long; ${String(ADDITION_LIMITS.bytes)} at most`] };
  const { policies, faults: unreadable } = readPolicies(text);
  const faults = [...unreadable];
  if (policies.length > ADDITION_LIMITS.policies)
    faults.push(`are ${String(policies.length)} policies; ${String(ADDITION_LIMITS.policies)} at most`);
  for (const { id, effect } of policies)
    if (effect !== 'forbid')
      faults.push(`${id}: is a ${effect}; an organisation can only forbid what the release permits`);
  if (faults.length === 0) faults.push(...validationFaults(basePolicies().schema, policies));
  return { policies, faults };
}
