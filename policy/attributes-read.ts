import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';

import type { Policy } from './cedar.ts';
import type { CedarRequest } from './request.ts';

const VARIABLES = ['principal', 'resource', 'context'] as const;
type Variable = (typeof VARIABLES)[number];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The attributes that policies read, e.g. `principal.role`, with their values; null for one that is not there. */
export function attributesRead(
  policies: readonly Policy[],
  request: CedarRequest,
): Readonly<Record<string, CedarValueJson>> {
  const names = new Set(policies.flatMap(({ json }) => json.conditions.flatMap(({ body }) => accessesIn(body))));
  const values: Readonly<Record<Variable, Record<string, CedarValueJson>>> = {
    principal: request.entities[0]?.attrs ?? {},
    resource: request.entities[1]?.attrs ?? {},
    context: request.context,
  };
  const read = [...names].sort().map((name) => {
    const [variable = '', attribute = ''] = name.split('.');
    return [name, values[variable as Variable][attribute] ?? null] as const;
  });
  return Object.fromEntries(read);
}

/** Every `variable.attribute` in an expression of Cedar's JSON form. */
function accessesIn(expression: unknown): string[] {
  if (Array.isArray(expression)) return expression.flatMap(accessesIn);
  if (!isObject(expression)) return [];
  const own = [expression['.'], expression['has']].flatMap((access) => (isObject(access) ? accessOf(access) : []));
  return [...own, ...Object.values(expression).flatMap(accessesIn)];
}

function accessOf({ left, attr }: Record<string, unknown>): string[] {
  const variable = isObject(left) ? VARIABLES.find((one) => one === left['Var']) : undefined;
  const [attribute] = Array.isArray(attr) ? (attr as unknown[]) : [attr];
  return variable && typeof attribute === 'string' ? [`${variable}.${attribute}`] : [];
}
