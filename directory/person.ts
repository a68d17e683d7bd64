import { z } from 'zod';

import { Role } from '../contracts/principal.ts';

const text = (length: number) =>
  z
    .string()
    .max(length, `is longer than ${String(length)} characters`)
    // No name holds one, terminals and files are harmed by some, and Postgres stores no NUL.
    .regex(/^\P{Cc}*$/u, 'may not hold control characters');
const required = (length: number) => text(length).min(1, 'is missing');
const optional = (length: number) => text(length).transform((value) => (value === '' ? null : value));
const Email = required(200)
  .pipe(z.email('is not an e-mail address'))
  .transform((value) => value.toLowerCase());
const PersonKey = required(64).regex(/^[\w.@-]*$/, 'may hold letters, digits, dots, dashes, underscores and @ only');

/** One row of an org chart, as text in; the columns in their order. */
export const Person = z.object({
  user_id: PersonKey.describe("The person's id in the organisation's own system"),
  reports_to_id: z.union([z.literal(''), PersonKey]).transform((value) => (value === '' ? null : value)),
  name: required(100),
  role: z
    .string()
    .toLowerCase()
    .pipe(z.enum(Role.options, `is none of ${Role.options.join(', ')}`)),
  email: Email,
  department: required(100),
  title: optional(100).default(null),
  locale: z
    .union([z.literal(''), z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'is not a language tag such as en-US')])
    .transform((value) => (value === '' ? null : value))
    .default(null),
  status: z
    .enum(['', 'active', 'inactive'], 'is neither active nor inactive')
    .transform((value) => (value === '' ? 'active' : value))
    .default('active'),
  manager_email: z
    .union([z.literal(''), Email])
    .transform((value) => (value === '' ? null : value))
    .default(null),
});
export type Person = z.output<typeof Person>;

/** The columns that every org chart has. */
export const REQUIRED_COLUMNS = ['user_id', 'reports_to_id', 'name', 'role', 'email', 'department'] as const;
/** All columns that an org chart may have. */
export const COLUMNS = Object.keys(Person.shape) as (keyof Person)[];

/** What is wrong with an org chart, and where: the line of the file and the column, null where it is the whole row. */
export interface ChartFault {
  readonly row: number;
  readonly column: string | null;
  readonly message: string;
}

/** A person and the line that it came from. */
export interface ChartRow {
  readonly row: number;
  readonly person: Person;
}

/** The people of an org chart; usable only where there are no faults. */
export interface OrgChart {
  readonly people: readonly Person[];
  readonly faults: readonly ChartFault[];
}
