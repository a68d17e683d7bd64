import path from 'node:path';

import { ENTITY_TYPES } from '../../contracts/principal.ts';
import type { EntityType, Role } from '../../contracts/principal.ts';
import { loadProfiles } from '../../directory/profiles.ts';

/** Invented personal data: reserved mail domain, the card and account numbers that are printed in manuals. */
export const DANA = {
  name: 'Dana Whitfield',
  email: 'dana.whitfield@example.com',
  card: '4111 1111 1111 1111',
  iban: 'DE89 3704 0044 0532 0130 00',
  ssn: '219-09-9999',
} as const;

const VALUES: Partial<Record<EntityType, string>> = {
  email: DANA.email,
  card: DANA.card,
  iban: DANA.iban,
  ssn: DANA.ssn,
};

const compact = (text: string): string => text.replaceAll(/[\s-]/g, '');

/** The kinds of personal value that stand in clear in any of the texts, however they are spaced. */
export const kindsIn = (texts: readonly string[]): EntityType[] =>
  ENTITY_TYPES.filter((type) => {
    const value = VALUES[type];
    return value !== undefined && texts.some((text) => text.includes(value) || compact(text).includes(compact(value)));
  });

/** The kinds that a role may see, as its profile says, of those that were sent. */
export function clearedKinds(role: string, sent: readonly EntityType[]): EntityType[] {
  const profile = loadProfiles(path.resolve(import.meta.dirname, '../../profiles')).get(role as Role);
  return ENTITY_TYPES.filter((type) => sent.includes(type) && profile?.privacy.clearance.includes(type));
}
