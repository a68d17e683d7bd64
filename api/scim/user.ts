import { z } from 'zod';

import { UserId } from '../../contracts/ids.ts';
import type { PersonRow } from '../../db/people/users.ts';
import { COLUMNS, Person } from '../../directory/person.ts';
import { iso } from '../views.ts';
import { ENTERPRISE, USER } from './schemas.ts';

const text = (length: number) => z.string().max(length).nullish();
/** Entra ID sends booleans as the texts "True" and "False". */
const Flag = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })]);

/** What is read of a user resource; other attributes are let pass and not kept. */
export const UserInput = z.looseObject({
  userName: z.string().trim().min(1, 'is missing').max(200),
  externalId: text(200),
  displayName: text(100),
  name: z.looseObject({ formatted: text(100), givenName: text(60), familyName: text(60) }).nullish(),
  title: text(100),
  locale: text(35),
  preferredLanguage: text(35),
  active: Flag.default(true),
  emails: z
    .array(z.looseObject({ value: z.string().max(200).nullish(), primary: Flag.nullish() }))
    .max(20)
    .nullish(),
  [ENTERPRISE]: z
    .looseObject({
      employeeNumber: text(64),
      department: text(100),
      manager: z.looseObject({ value: z.union([z.literal(''), UserId]).nullish() }).nullish(),
    })
    .nullish(),
});
export type UserInput = z.infer<typeof UserInput>;

/** A user resource as it is answered, and as patches are applied to it. */
export interface UserResource extends Record<string, unknown> {
  readonly id: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** The version of somebody, as a weak entity tag. */
export const versionOf = ({ version }: PersonRow): string => `W/"${version}"`;

/** Somebody as a user resource (RFC 7643, sections 4.1 and 4.3). */
export function userResource(row: PersonRow, base: string): UserResource {
  const role = row.awaits_role ? [] : [row.role];
  return {
    schemas: [USER, ENTERPRISE],
    id: row.id,
    ...(row.scim_external_id !== null && { externalId: row.scim_external_id }),
    userName: row.user_name ?? row.email,
    name: {
      formatted: row.name,
      ...(row.given_name !== null && { givenName: row.given_name }),
      ...(row.family_name !== null && { familyName: row.family_name }),
    },
    displayName: row.name,
    ...(row.title !== null && { title: row.title }),
    ...(row.locale !== null && { locale: row.locale }),
    active: row.enabled,
    emails: [{ value: row.email, type: 'work', primary: true }],
    groups: role.map((value) => ({ value, display: value, $ref: `${base}/Groups/${value}` })),
    roles: role.map((value) => ({ value, primary: true })),
    [ENTERPRISE]: {
      employeeNumber: row.external_id,
      department: row.department,
      ...(row.manager_id !== null && { manager: { value: row.manager_id, $ref: `${base}/Users/${row.manager_id}` } }),
    },
    meta: {
      resourceType: 'User',
      created: iso(row.created_at),
      lastModified: iso(row.updated_at),
      location: `${base}/Users/${row.id}`,
      version: versionOf(row),
    },
  };
}

const given = (value: string | null | undefined): string | null => (value === '' ? null : (value ?? null));

function nameOf({ displayName, name, userName }: UserInput): string {
  const parts = [name?.givenName, name?.familyName].filter((part) => given(part) !== null).join(' ');
  return given(displayName) ?? given(name?.formatted) ?? given(parts) ?? userName;
}

/** The primary address, the first one, or the user name where it is one. */
const emailOf = ({ emails, userName }: UserInput): string =>
  given(emails?.find(({ primary }) => primary === true)?.value) ?? given(emails?.[0]?.value) ?? userName;

/** What a resource says of somebody, held to the same rules as a row of a file. Throws a ZodError. */
export function wishOf(input: UserInput, id: string) {
  const more = input[ENTERPRISE];
  const cells: Record<string, string> = {
    user_id: given(more?.employeeNumber) ?? id,
    reports_to_id: '',
    name: nameOf(input),
    role: 'support',
    email: emailOf(input),
    department: given(more?.department) ?? 'Unassigned',
    title: given(input.title) ?? '',
    locale: (given(input.locale) ?? given(input.preferredLanguage) ?? '').replace('_', '-'),
  };
  const person = Person.parse(Object.fromEntries(COLUMNS.flatMap((column) => pair(column, cells[column]))));
  return {
    external_id: person.user_id,
    name: person.name,
    email: person.email,
    department: person.department,
    title: person.title,
    locale: person.locale,
    enabled: input.active,
    user_name: input.userName,
    given_name: given(input.name?.givenName),
    family_name: given(input.name?.familyName),
    scim_external_id: given(input.externalId),
    manager_id: given(more?.manager?.value),
  };
}

const pair = (column: string, cell: string | undefined): [string, string][] =>
  cell === undefined ? [] : [[column, cell]];
