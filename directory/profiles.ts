import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { parseDocument } from 'yaml';

import { ROLES } from '../contracts/principal.ts';
import type { Role } from '../contracts/principal.ts';
import { Profile, SWITCHBOARD_EXTENSION, SWITCHBOARD_TOOLS } from './profile-schema.ts';

/** Profiles that cannot be used; every fault with its file and path. */
export class ProfileFaults extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`Profiles are not valid. Correct these and start again:\n${faults.join('\n')}`);
    this.name = 'ProfileFaults';
    this.faults = faults;
  }
}

function parseProfile(file: string, text: string): Profile | string[] {
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken) return [`${file}: is not YAML: ${broken.message.split('\n')[0] ?? ''}`];
  const parsed = Profile.safeParse(document.toJS());
  if (!parsed.success)
    return parsed.error.issues.map(({ path: at, message }) => `${file}: ${at.join('.') || '(top)'}: ${message}`);
  const expected = path.basename(file, path.extname(file));
  return parsed.data.role === expected
    ? parsed.data
    : [`${file}: role: is ${parsed.data.role}, but the file is named ${expected}`];
}

/** Reads the eight profiles, a YAML file each; throws ProfileFaults unless all are there and valid. */
export function loadProfiles(folder: string): Map<Role, Profile> {
  const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
  const read = files.map((file) => parseProfile(file, readFileSync(path.join(folder, file), 'utf8')));
  const profiles = new Map(
    read.flatMap((profile) => (Array.isArray(profile) ? [] : [[profile.role, profile] as const])),
  );
  const faults = read.flatMap((profile) => (Array.isArray(profile) ? profile : []));
  const absent = ROLES.filter((role) => !files.some((file) => path.parse(file).name === role));
  faults.push(...absent.map((role) => `${role}.yaml: is missing`));
  if (faults.length > 0) throw new ProfileFaults(faults);
  return profiles;
}

/** The tools of Switchboard that a profile allows: all of them where the extension names none. */
export function allowedTools({ extensions }: Profile): readonly string[] {
  const extension = extensions.find(({ name, enabled }) => enabled && name === SWITCHBOARD_EXTENSION);
  return extension ? (extension.tools ?? SWITCHBOARD_TOOLS) : [];
}
