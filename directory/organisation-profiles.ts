import type { Role } from '../contracts/principal.ts';
import type { Database } from '../db/pool.ts';
import { currentProfiles } from '../db/profiles.ts';
import type { ProfileVersionRow } from '../db/profiles.ts';
import { digestOf } from '../platform/digest.ts';
import { Profile } from './profile-schema.ts';

/** A profile in force, and which version it is. */
export interface PublishedProfile {
  readonly profile: Profile;
  /** 1 for the release's; an organisation's own count on from 2. */
  readonly version: number;
  readonly digest: string;
}

/** The profiles of an organisation by role. */
export type ProfilesOf = (organisationId: string) => Promise<OrganisationProfileMap>;

/** Profiles by role, as most callers want them, with their versions for those that publish them. */
export interface OrganisationProfileMap extends ReadonlyMap<Role, Profile> {
  published(role: Role): PublishedProfile | undefined;
}

/** The version of a profile that comes with the release. */
export const RELEASE_VERSION = 1;
/** How many organisations with profiles of their own are kept in memory. */
const MOST_ORGANISATIONS = 1_000;

class PublishedProfiles extends Map<Role, Profile> implements OrganisationProfileMap {
  private readonly versions: ReadonlyMap<Role, PublishedProfile>;

  constructor(versions: ReadonlyMap<Role, PublishedProfile>) {
    super([...versions].map(([role, { profile }]) => [role, profile]));
    this.versions = versions;
  }

  published(role: Role): PublishedProfile | undefined {
    return this.versions.get(role);
  }
}

const publishedRelease = (profile: Profile): PublishedProfile => ({
  profile,
  version: RELEASE_VERSION,
  digest: digestOf(profile) ?? '',
});

/** The profiles of the release, as an organisation without own ones has them. */
export const releaseProfiles = (profiles: ReadonlyMap<Role, Profile>): OrganisationProfileMap =>
  new PublishedProfiles(new Map([...profiles].map(([role, profile]) => [role, publishedRelease(profile)])));

/** The profiles of organisations, read when they are asked for and kept until `forget`. */
export class OrganisationProfiles {
  private readonly database: Database;
  private readonly release: OrganisationProfileMap;
  private readonly kept = new Map<string, Promise<OrganisationProfileMap>>();

  constructor(database: Database, release: ReadonlyMap<Role, Profile>) {
    this.database = database;
    this.release = releaseProfiles(release);
  }

  of(organisationId: string): Promise<OrganisationProfileMap> {
    const present = this.kept.get(organisationId);
    if (present) return present;
    const reading = this.read(organisationId);
    const [oldest] = this.kept.keys();
    if (this.kept.size >= MOST_ORGANISATIONS && oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(organisationId, reading);
    // A failure is not kept: the next one asks again.
    reading.catch(() => {
      if (this.kept.get(organisationId) === reading) this.kept.delete(organisationId);
    });
    return reading;
  }

  /** What is being read now may be old already: it answers those who wait for it, and nobody after them. */
  forget(organisationId: string): void {
    this.kept.delete(organisationId);
  }

  private async read(organisationId: string): Promise<OrganisationProfileMap> {
    const rows = await this.database.inOrganisation(organisationId, currentProfiles);
    if (rows.length === 0) return this.release;
    const all = new Map<Role, PublishedProfile>();
    for (const role of this.release.keys()) {
      const row = rows.find((one) => one.role === role);
      const published = row ? publishedRow(row) : this.release.published(role);
      if (published) all.set(role, published);
    }
    return new PublishedProfiles(all);
  }
}

/** A stored profile as this release reads it: fields that came later get their defaults. */
function publishedRow({ role, version, profile }: ProfileVersionRow): PublishedProfile {
  const parsed = Profile.safeParse(profile);
  if (parsed.success) return { profile: parsed.data, version, digest: digestOf(parsed.data) ?? '' };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`Version ${String(version)} of the profile of ${role} cannot be used: ${faults.join('; ')}`);
}
