import type { Requirement } from './approval-policy.ts';

/** Everybody that a requirement could be satisfied by. */
export function usersOf(requirement: Requirement): readonly string[] {
  const users = 'users' in requirement ? requirement.users : requirement.parts.flatMap(usersOf);
  return [...new Set(users)];
}

/** Who could fill one needed place. */
type Place = readonly string[];

/** The places to fill; of alternatives, the first that those who approved could fill. Undefined where none can be. */
function placesOf(requirement: Requirement, approvedFor: ReadonlySet<string>): readonly Place[] | undefined {
  if ('users' in requirement) return Array.from({ length: requirement.need }, () => requirement.users);
  const fillable = requirement.parts.flatMap((part) => {
    const places = placesOf(part, approvedFor);
    return places && filled(places, approvedFor) ? [places] : [];
  });
  return fillable.length < requirement.need ? undefined : fillable.slice(0, requirement.need).flat();
}

/** Whether each place can have a person of its own (bipartite matching by augmenting paths). */
function filled(places: readonly Place[], approvedFor: ReadonlySet<string>): boolean {
  const placeOf = new Map<string, number>();
  const seat = (place: number, tried: Set<string>): boolean =>
    (places[place] ?? []).some((person) => {
      if (!approvedFor.has(person) || tried.has(person)) return false;
      tried.add(person);
      const taken = placeOf.get(person);
      if (taken !== undefined && !seat(taken, tried)) return false;
      placeOf.set(person, place);
      return true;
    });
  return places.every((_, place) => seat(place, new Set()));
}

/**
 * Whether the approvals given so far are enough. One person fills one place only: who is both a manager and in finance
 * does not stand for two people.
 */
export function satisfied(requirement: Requirement, approvedFor: ReadonlySet<string>): boolean {
  const places = placesOf(requirement, approvedFor);
  return places !== undefined && filled(places, approvedFor);
}

/** Whether there are enough people to ever satisfy a requirement. */
export const attainable = (requirement: Requirement): boolean => satisfied(requirement, new Set(usersOf(requirement)));

/** The requirement once others may answer too, e.g. the managers of silent people; how many are needed stays. */
export const withOthers = (requirement: Requirement, others: readonly string[]): Requirement =>
  'users' in requirement
    ? { ...requirement, users: [...new Set([...requirement.users, ...others])] }
    : { ...requirement, parts: requirement.parts.map((part) => withOthers(part, others)) };

/** The requirement without somebody; where too few would be left to ask, another one is asked in their place. */
export function withoutPerson(requirement: Requirement, person: string, instead: string | null): Requirement {
  if ('parts' in requirement)
    return { ...requirement, parts: requirement.parts.map((part) => withoutPerson(part, person, instead)) };
  if (!requirement.users.includes(person)) return requirement;
  const users = requirement.users.filter((user) => user !== person);
  if (users.length >= requirement.need) return { ...requirement, users };
  return { ...requirement, users: [...new Set([...users, ...(instead === null ? [] : [instead])])] };
}

/** The requirement with others asked wherever too few are left to ask; who could fill the other places stays. */
export function filledUp(requirement: Requirement, others: readonly string[]): Requirement {
  if ('parts' in requirement) return { ...requirement, parts: requirement.parts.map((part) => filledUp(part, others)) };
  if (requirement.users.length >= requirement.need) return requirement;
  return { ...requirement, users: [...new Set([...requirement.users, ...others])] };
}
