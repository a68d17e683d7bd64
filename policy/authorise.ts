import type { Principal } from '../contracts/principal.ts';
import type { Action } from './actions.ts';
import { POLICIES } from './policies.ts';
import type { Policy } from './policies.ts';
import type { Resource } from './resource.ts';

/** What policy says, and why: for the caller and for the audit event. */
export interface Decision {
  readonly allow: boolean;
  /** Ids of the deciding policies; none where nothing permits it. */
  readonly policies: readonly string[];
  readonly reason: string;
}

const covers = ({ actions }: Policy, action: Action): boolean => actions?.includes(action) ?? true;

/** Decides whether a principal may do something to a resource. Denied unless a policy permits and none forbids. */
export function authorise(principal: Principal, action: Action, resource: Resource): Decision {
  const deciding = POLICIES.filter((policy) => covers(policy, action) && policy.when(principal, resource, action));
  const idsOf = (effect: Policy['effect']): string[] => deciding.filter((p) => p.effect === effect).map(({ id }) => id);
  const [forbids, permits] = [idsOf('forbid'), idsOf('permit')];
  const what = `${action} on this ${resource.kind}`;
  if (forbids.length > 0)
    return { allow: false, policies: forbids, reason: `${what} is forbidden by ${forbids.join(', ')}.` };
  if (permits.length > 0)
    return { allow: true, policies: permits, reason: `${what} is permitted by ${permits.join(', ')}.` };
  return { allow: false, policies: [], reason: `No policy permits this ${principal.role} ${principal.kind} ${what}.` };
}
