import type { Requirement } from '../../contracts/approval-policy.ts';

/** Everybody that a requirement could be satisfied by. */
export function usersOf(requirement: Requirement): readonly string[] {
  const users = 'users' in requirement ? requirement.users : requirement.parts.flatMap(usersOf);
  return [...new Set(users)];
}

/** Whether the approvals given so far are enough: `need` different people, or `need` satisfied parts. */
export function satisfied(requirement: Requirement, approvedFor: ReadonlySet<string>): boolean {
  const met =
    'users' in requirement
      ? requirement.users.filter((user) => approvedFor.has(user)).length
      : requirement.parts.filter((part) => satisfied(part, approvedFor)).length;
  return met >= requirement.need;
}

/** The requirement once the managers of silent people may answer in their place; how many are needed stays. */
export const withManagers = (requirement: Requirement, managers: readonly string[]): Requirement =>
  'users' in requirement
    ? { ...requirement, users: [...new Set([...requirement.users, ...managers])] }
    : { ...requirement, parts: requirement.parts.map((part) => withManagers(part, managers)) };
