import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** One policy as it was written, and as Cedar reads it. */
export interface Policy {
  /** Stable name, from its annotation `@id`: audit events and refusals quote it. */
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  /** Why there is such a policy, from its annotation `@why`. */
  readonly why: string | null;
  readonly text: string;
  readonly json: PolicyJson;
}

/** Policies that could be read, and what is wrong with the others. */
export interface ReadPolicies {
  readonly policies: readonly Policy[];
  readonly faults: readonly string[];
}

const ID = /^[a-z][a-z0-9-]{0,79}$/;

/** What Cedar says of a fault, with the line where it tells one. */
export function faultOf({ message, help, sourceLocations = [] }: DetailedError, text = ''): string {
  const [place] = sourceLocations;
  const line = place && text !== '' ? `line ${String(text.slice(0, place.start).split('\n').length)}: ` : '';
  const expected = place?.label ?? null;
  return `${line}${message}${expected === null ? '' : ` (${expected})`}${help === null ? '' : ` (${help})`}`;
}

/** Reads Cedar text into policies by their ids. Templates have no place here: nothing would ever link them. */
export function readPolicies(text: string): ReadPolicies {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') return { policies: [], faults: parts.errors.map((error) => faultOf(error, text)) };
  const faults = parts.policy_templates.map(
    (template) => `is a template, and none can be used: ${firstLine(template)}`,
  );
  const policies: Policy[] = [];
  for (const part of parts.policies) {
    const read = readOne(part);
    if (typeof read === 'string') faults.push(read);
    else policies.push(read);
  }
  const ids = policies.map(({ id }) => id);
  faults.push(...[...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))].map((id) => `${id}: is there twice`));
  return { policies, faults };
}

const firstLine = (text: string): string => (text.trim().split('\n')[0] ?? '').slice(0, 100);

function readOne(text: string): Policy | string {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') return parsed.errors.map((error) => faultOf(error, text)).join('; ');
  const { id = '', why = null } = parsed.json.annotations ?? {};
  if (!ID.test(id)) return `needs an annotation @id("…") of small letters, digits and hyphens: ${firstLine(text)}`;
  return { id, effect: parsed.json.effect, why, text: text.trim(), json: parsed.json };
}

/** Policies as Cedar takes them. */
export const asSet = (policies: readonly Policy[]): cedar.PolicySet => ({
  staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])),
});

/** What a schema finds wrong with policies: unknown names, wrong types, conditions that can never hold. */
export function validationFaults(schema: string, policies: readonly Policy[]): string[] {
  const answer = cedar.validate({ schema, policies: asSet(policies) });
  if (answer.type === 'failure') return answer.errors.map((error) => faultOf(error, schema));
  const textOf = (id: string): string => policies.find((policy) => policy.id === id)?.text ?? '';
  return [...answer.validationErrors, ...answer.validationWarnings].map(
    ({ policyId, error }) => `${policyId}: ${faultOf(error, textOf(policyId))}`,
  );
}
