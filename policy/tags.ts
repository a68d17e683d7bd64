import type { Principal } from '../contracts/principal.ts';

/** The tag of administrators among a principal's tags. */
export const ADMINISTRATOR_TAG = 'administrator';

/**
 * The names under which resources address a principal: `user:<id>` or `agent:<id>`, `role:<role>`, for an agent the
 * `user:<id>` it acts for, and `administrator`.
 */
export function principalTags({ kind, id, role, acts_for, administrator }: Principal): string[] {
  const tags = [`${kind}:${id}`, `role:${role}`];
  if (kind === 'agent' && acts_for !== null) tags.push(`user:${acts_for}`);
  if (administrator) tags.push(ADMINISTRATOR_TAG);
  return tags;
}

/** Whether a principal is one of those that tags address. */
export const isAddressed = (principal: Principal, tags: readonly string[] = []): boolean =>
  principalTags(principal).some((tag) => tags.includes(tag));
