import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { EntityUidJson } from '@cedar-policy/cedar-wasm/nodejs';

import { isAction } from './actions.ts';
import type { Action } from './actions.ts';
import { basePolicies } from './base.ts';
import { asSet, readPolicies } from './cedar.ts';
import type { Policy } from './cedar.ts';

/** What an organisation adds to the policies of the release: forbids only. */
export interface Additions {
  readonly version: number;
  readonly policies: readonly Policy[];
  /** The actions that any of them speaks of; for all others nobody has to be asked. */
  readonly covers: (action: Action) => boolean;
}

/** Before the ids of an organisation's policies wherever they are quoted: it says whose they are. */
export const ADDITION_PREFIX = 'organisation:';

/** How many organisations' policies Cedar holds parsed at once; others are parsed again when they are asked. */
const PARSED_AT_ONCE = 200;

const known = new Map<string, Additions | 'unreadable'>();
/** Organisation to the name under which Cedar keeps its policies, the one asked last at the end. */
const parsed = new Map<string, string>();

const prefixed = (policy: Policy): Policy => ({ ...policy, id: ADDITION_PREFIX + policy.id });

/**
 * Makes an organisation's policies effective in this process. Text that cannot be used, which was checked before it was
 * stored, closes the organisation: nothing is permitted until it is corrected. Answers the faults.
 */
export function setAdditions(organisationId: string, version: number, text: string): readonly string[] {
  parsed.delete(organisationId);
  const { policies, faults } = readPolicies(text);
  const permits = policies.filter(({ effect }) => effect !== 'forbid').map(({ id }) => `${id}: is no forbid`);
  const wrong = [...faults, ...permits];
  if (wrong.length > 0) known.set(organisationId, 'unreadable');
  else if (policies.length === 0) known.delete(organisationId);
  else known.set(organisationId, { version, policies: policies.map(prefixed), covers: coverage(policies) });
  return wrong;
}

/** Which actions policies speak of: named ones, or any where one names none, or a group of them. */
function coverage(policies: readonly Policy[]): Additions['covers'] {
  const named = new Set<Action>();
  for (const { json } of policies) {
    const { action } = json;
    const ids = action.op === 'All' ? [''] : namesIn(action);
    for (const id of ids) {
      if (!isAction(id)) return () => true;
      named.add(id);
    }
  }
  return (action) => named.has(action);
}

function namesIn(scope: object): string[] {
  const { entity, entities = [] } = scope as { entity?: EntityUidJson; entities?: EntityUidJson[] };
  return [...(entity ? [entity] : []), ...entities].map((uid) => ('__entity' in uid ? uid.__entity.id : uid.id));
}

/** What an organisation adds; undefined where it adds nothing. */
export const additionsOf = (organisationId: string): Additions | 'unreadable' | undefined => known.get(organisationId);

/** The name under which Cedar keeps an organisation's policies; parsed where they are not, the longest unused give way. */
export function additionsSet(organisationId: string, { policies }: Additions): string | undefined {
  const present = parsed.get(organisationId);
  if (present !== undefined) {
    parsed.delete(organisationId);
    parsed.set(organisationId, present);
    return present;
  }
  const name = nameForNext();
  const answer = cedar.preparsePolicySet(name, asSet(policies));
  if (answer.type === 'failure') return undefined;
  parsed.set(organisationId, name);
  return name;
}

// Names are used again: Cedar forgets what is parsed only when its name is given to something else.
function nameForNext(): string {
  const used = new Set(parsed.values());
  if (used.size >= PARSED_AT_ONCE) {
    const [oldest] = parsed;
    if (oldest) {
      parsed.delete(oldest[0]);
      return oldest[1];
    }
  }
  for (let at = 0; ; at += 1) if (!used.has(`additions-${String(at)}`)) return `additions-${String(at)}`;
}

/** All policies that decide for an organisation: those of the release and its own. */
export function policiesFor(organisationId: string): readonly Policy[] {
  const own = additionsOf(organisationId);
  return [...basePolicies().policies, ...(own === undefined || own === 'unreadable' ? [] : own.policies)];
}
