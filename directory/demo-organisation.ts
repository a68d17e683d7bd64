import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { Role } from '../contracts/principal.ts';
import { parseOrgChart } from './org-chart.ts';
import type { Person } from './person.ts';
import type { Profile } from './profile-schema.ts';

/** An agent that works for a whole role. */
export interface DepartmentAgent {
  readonly name: string;
  readonly role: Role;
  readonly skills: readonly string[];
  readonly capacity: number;
  readonly version: string;
  readonly rollout_weight: number;
  readonly acts_for: null;
}

/** Who a new development installation starts with. */
export interface DemoOrganisation {
  readonly name: string;
  readonly people: readonly (Person & { readonly administrator: boolean })[];
  readonly agents: readonly DepartmentAgent[];
}

const departmentAgent = ({ role, skills }: Profile): DepartmentAgent => ({
  name: `${role}-agent`,
  role,
  skills,
  capacity: 10,
  version: '1.0.0',
  rollout_weight: 100,
  acts_for: null,
});

/** Invented people of a file in `demo` below the folder of profiles; throws where it is not a valid org chart. */
export function demoPeople(folder: string, name: 'people.csv' | 'fifty.csv'): readonly Person[] {
  const file = path.join(folder, 'demo', name);
  const { people, faults } = parseOrgChart(readFileSync(file));
  if (faults.length === 0) return people;
  const lines = faults.map(({ row, column, message }) => `row ${String(row)} ${column ?? ''}: ${message}`);
  throw new Error(`${file} is not a valid org chart:\n${lines.join('\n')}`);
}

/** Twelve invented people, whose head is the administrator, and an agent a role. */
export const demoOrganisation = (folder: string, profiles: ReadonlyMap<Role, Profile>): DemoOrganisation => ({
  name: 'Example Works',
  people: demoPeople(folder, 'people.csv').map((person) => ({
    ...person,
    administrator: person.reports_to_id === null,
  })),
  agents: [...profiles.values()].map(departmentAgent).sort((a, b) => (a.name < b.name ? -1 : 1)),
});
