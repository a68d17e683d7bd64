import type { ApprovalPolicy, Condition, Requirement, Selector } from '../contracts/approval-policy.ts';
import type { ApprovalContent, Approvers } from '../contracts/approvals.ts';
import type { Json } from '../contracts/json.ts';
import { refused } from '../contracts/parse.ts';
import { findUser, listUsers, managerChainOf } from '../db/directory.ts';
import type { Queryable } from '../db/pool.ts';
import type { Profile } from '../directory/profile-schema.ts';

/** What a policy is applied to: the subject's facts, and who can never decide. */
export interface PolicyContext {
  readonly sql: Queryable;
  readonly content: Pick<ApprovalContent, 'action' | 'evidence'>;
  readonly excluded: ReadonlySet<string>;
  /** Who was replaced since the approval was opened; absent while it is being opened, when everybody has to be there. */
  readonly replaced?: ReadonlySet<string> | undefined;
  /** Profiles whose named policies may be meant, the most specific first. */
  readonly profiles: readonly Profile[];
}

function valueAt(content: PolicyContext['content'], path: string): Json | undefined {
  let value: unknown = content;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value as Json | undefined;
}

/**
 * Whether a condition holds. Where the number it compares is missing or is no number, it holds: an amount that cannot be
 * read must not make approval easier.
 */
function holds(condition: Condition | undefined, content: PolicyContext['content']): boolean {
  if (!condition) return true;
  const value = valueAt(content, condition.path);
  if (condition.equals !== undefined && value !== condition.equals) return false;
  if (typeof value !== 'number') return true;
  return (
    (condition.over === undefined || value > condition.over) &&
    (condition.up_to === undefined || value <= condition.up_to)
  );
}

async function selected(selector: Selector, context: PolicyContext): Promise<Requirement> {
  const label =
    'role' in selector ? selector.role : 'user' in selector ? selector.user : `manager of ${selector.manager_of}`;
  const users = (await usersOf(selector, context)).filter((user) => context.replaced?.has(user) !== true);
  return { label, need: 1, users: users.filter((user) => !context.excluded.has(user)) };
}

async function usersOf(selector: Selector, { sql, replaced }: PolicyContext): Promise<string[]> {
  if ('role' in selector) return (await listUsers(sql, selector.role)).map((user) => user.id);
  const id = 'user' in selector ? selector.user : selector.manager_of;
  const user = await findUser(sql, id);
  // Whoever was named when it was opened and has left since leaves an empty place, which others are asked to fill.
  if (!user && !replaced)
    throw refused({ code: 'unknown_target', detail: `${id} is not a user of your organisation.` });
  if ('user' in selector) return user ? [user.id] : [];
  const [above] = (await managerChainOf(sql, id)).filter((one) => one.id !== id);
  return above ? [above.id] : [];
}

/** Looks up a policy's roles and managers and drops what the subject does not call for; null where nothing is left. */
export async function compilePolicy(policy: ApprovalPolicy, context: PolicyContext): Promise<Requirement | null> {
  if (!holds(policy.when, context.content)) return null;
  if ('any_of' in policy) return combined(policy.any_of, context, 'one of', () => 1);
  if ('all_of' in policy) return combined(policy.all_of, context, 'all of', (parts) => parts);
  if ('of' in policy) return counted(policy.n, policy.of, context);
  return selected(policy, context);
}

async function combined(
  policies: readonly ApprovalPolicy[],
  context: PolicyContext,
  words: string,
  need: (parts: number) => number,
): Promise<Requirement | null> {
  const parts: Requirement[] = [];
  for (const policy of policies) {
    const part = await compilePolicy(policy, context);
    if (part) parts.push(part);
  }
  const [only] = parts;
  if (!only) return null;
  if (parts.length === 1) return only;
  return { label: `${words} (${parts.map((part) => part.label).join(', ')})`, need: need(parts.length), parts };
}

/** So many different people, whichever of the selectors they come from. */
async function counted(n: number, selectors: readonly Selector[], context: PolicyContext): Promise<Requirement | null> {
  const parts: Requirement[] = [];
  for (const selector of selectors)
    if (holds(selector.when, context.content)) parts.push(await selected(selector, context));
  if (parts.length === 0) return null;
  const users = [...new Set(parts.flatMap((part) => ('users' in part ? part.users : [])))];
  return { label: `${String(n)} of (${parts.map((part) => part.label).join(', ')})`, need: n, users };
}

/** The policy that the short form of approvers stands for. */
export function policyOf(who: Approvers, profiles: readonly Profile[]): ApprovalPolicy {
  if (typeof who.policy === 'string') return namedPolicy(who.policy, profiles);
  if (who.policy) return who.policy;
  const selectors: Selector[] = [
    ...(who.users ?? []).map((user) => ({ user })),
    ...(who.roles ?? []).map((role) => ({ role })),
    ...(who.manager_of === undefined ? [] : [{ manager_of: who.manager_of }]),
  ];
  if (who.quorum !== undefined) return { n: who.quorum, of: selectors };
  return who.rule === 'all' ? { all_of: selectors } : { any_of: selectors };
}

function namedPolicy(name: string, profiles: readonly Profile[]): ApprovalPolicy {
  for (const profile of profiles) {
    const policy = profile.approvals.policies[name];
    if (policy) return policy;
  }
  const known = profiles.flatMap((profile) => Object.keys(profile.approvals.policies));
  throw refused({
    code: 'unknown_target',
    detail: `approvers.policy: no profile has a policy ${name}; known: ${known.join(', ') || 'none'}.`,
  });
}
