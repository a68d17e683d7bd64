import { filter as testerOf, parse } from 'scim2-parse-filter';
import type { Compare, Filter } from 'scim2-parse-filter';

import type { Condition } from '../../db/people/scim.ts';
import { ScimRefusal } from './error.ts';
import { ENTERPRISE } from './schemas.ts';

interface Column {
  readonly sql: string;
  readonly kind: 'folded' | 'exact' | 'flag';
}
const folded = (sql: string): Column => ({ sql: `lower(${sql})`, kind: 'folded' });

/** Attributes that filters usually name, as SQL; attribute names are not case-sensitive. */
const COLUMNS: Readonly<Record<string, Column>> = {
  id: { sql: 'id', kind: 'exact' },
  externalid: { sql: 'scim_external_id', kind: 'exact' },
  username: folded('coalesce(user_name, email)'),
  displayname: folded('name'),
  'name.formatted': folded('name'),
  'name.givenname': folded('given_name'),
  'name.familyname': folded('family_name'),
  emails: folded('email'),
  'emails.value': folded('email'),
  title: folded('title'),
  active: { sql: 'enabled', kind: 'flag' },
  [`${ENTERPRISE}:department`.toLowerCase()]: folded('department'),
  [`${ENTERPRISE}:employeeNumber`.toLowerCase()]: { sql: 'external_id', kind: 'exact' },
};

const literal = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);

function comparison({ op, attrPath, compValue }: Compare, bind: (value: unknown) => string): string | undefined {
  const column = COLUMNS[attrPath.toLowerCase()];
  if (!column) return undefined;
  if (column.kind === 'flag') {
    const wanted = typeof compValue === 'boolean' ? compValue : String(compValue).toLowerCase() === 'true';
    return op === 'eq' ? `${column.sql} = ${bind(wanted)}` : undefined;
  }
  if (typeof compValue !== 'string') return undefined;
  const value = column.kind === 'folded' ? compValue.toLowerCase() : compValue;
  switch (op) {
    case 'eq':
      return `${column.sql} = ${bind(value)}`;
    case 'co':
      return `${column.sql} LIKE ${bind(`%${literal(value)}%`)}`;
    case 'sw':
      return `${column.sql} LIKE ${bind(`${literal(value)}%`)}`;
    case 'ew':
      return `${column.sql} LIKE ${bind(`%${literal(value)}`)}`;
    default:
      return undefined;
  }
}

function compile(filter: Filter, bind: (value: unknown) => string): string | undefined {
  if (filter.op === 'and' || filter.op === 'or') {
    const parts = ('filters' in filter ? filter.filters : []).map((part) => compile(part, bind));
    return parts.some((part) => part === undefined) ? undefined : `(${parts.join(` ${filter.op.toUpperCase()} `)})`;
  }
  return 'compValue' in filter ? comparison(filter, bind) : undefined;
}

/** A filter of RFC 7644 (section 3.4.2.2): as SQL where that is possible, else as a test of resources. */
export type UserFilter = { readonly condition: Condition } | { readonly test: (resource: unknown) => boolean };

/** Reads a filter. Refuses what is none. */
export function readFilter(text: string): UserFilter {
  if (text.length > 1_000) throw new ScimRefusal(400, 'The filter is longer than 1,000 characters.', 'invalidFilter');
  let filter: Filter;
  try {
    filter = parse(text);
  } catch {
    throw new ScimRefusal(400, 'The filter cannot be read.', 'invalidFilter');
  }
  const values: unknown[] = [];
  const sql = compile(filter, (value) => `$${String(values.push(value))}`);
  if (sql !== undefined) return { condition: { sql, values } };
  return { test: testerOf(filter) };
}
