import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import * as cedar from '@cedar-policy/cedar-wasm/nodejs';

import { asSet, faultOf, readPolicies, validationFaults } from './cedar.ts';
import type { Policy } from './cedar.ts';

/** Policies that cannot be used; every fault with its file. */
export class PolicyFaults extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The policies are not valid. Correct these:\n${faults.join('\n')}`);
    this.name = 'PolicyFaults';
    this.faults = faults;
  }
}

/** The policies of the release, ready for decisions. */
export interface BasePolicies {
  /** Names under which Cedar keeps the parsed schema and policies. */
  readonly schemaName: string;
  readonly setName: string;
  readonly schema: string;
  readonly policies: readonly Policy[];
}

/** Where the release keeps its schema and policies. */
export const POLICY_FOLDER = import.meta.dirname;

/** Reads `schema.cedarschema` and `policies/*.cedar` of a folder; throws PolicyFaults with everything that is wrong. */
export function readBase(folder: string): Pick<BasePolicies, 'schema' | 'policies'> {
  const schema = readFileSync(path.join(folder, 'schema.cedarschema'), 'utf8');
  const files = readdirSync(path.join(folder, 'policies')).filter((file) => file.endsWith('.cedar'));
  const faults: string[] = [];
  const policies: Policy[] = [];
  for (const file of files.sort()) {
    const read = readPolicies(readFileSync(path.join(folder, 'policies', file), 'utf8'));
    faults.push(...read.faults.map((fault) => `policies/${file}: ${fault}`));
    faults.push(...twice(policies, read.policies).map((id) => `policies/${file}: ${id}: is in another file too`));
    policies.push(...read.policies);
  }
  if (policies.length === 0) faults.push('policies: there are none');
  faults.push(...schemaFaults(schema, policies));
  if (faults.length > 0) throw new PolicyFaults(faults);
  return { schema, policies };
}

const twice = (before: readonly Policy[], more: readonly Policy[]): string[] =>
  more.map(({ id }) => id).filter((id) => before.some((policy) => policy.id === id));

function schemaFaults(schema: string, policies: readonly Policy[]): string[] {
  const checked = cedar.checkParseSchema(schema);
  if (checked.type === 'failure') return checked.errors.map((error) => `schema.cedarschema: ${faultOf(error, schema)}`);
  return validationFaults(schema, policies).map((fault) => `policies: ${fault}`);
}

let current: BasePolicies | undefined;
let made = 0;

/**
 * Reads, validates and then uses the policies of a folder. Where anything is wrong it throws PolicyFaults, and what was
 * in use stays in use.
 */
export function loadBase(folder: string = POLICY_FOLDER): BasePolicies {
  const { schema, policies } = readBase(folder);
  // Two names in turn: Cedar keeps what is parsed until the same name is given again.
  const name = `base-${String((made += 1) % 2)}`;
  const parsed = [cedar.preparseSchema(name, schema), cedar.preparsePolicySet(name, asSet(policies))];
  const faults = parsed.flatMap((answer) =>
    answer.type === 'failure' ? answer.errors.map((one) => faultOf(one)) : [],
  );
  if (faults.length > 0) throw new PolicyFaults(faults);
  current = { schemaName: name, setName: name, schema, policies };
  return current;
}

/** The policies in use; those of the release unless others were loaded. */
export const basePolicies = (): BasePolicies => current ?? loadBase();
