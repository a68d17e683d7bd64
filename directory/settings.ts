import type { Role } from '../contracts/principal.ts';
import { follow } from '../db/listen.ts';
import type { Following } from '../db/listen.ts';
import { currentPolicies } from '../db/policies.ts';
import type { Database } from '../db/pool.ts';
import { FIRST_SETTING, settingsChangedSince } from '../db/settings.ts';
import type { SettingChange } from '../db/settings.ts';
import type { Logger } from '../platform/log.ts';
import { setAdditions } from '../policy/additions.ts';
import { OrganisationProfiles } from './organisation-profiles.ts';
import type { ProfilesOf } from './organisation-profiles.ts';
import type { Profile } from './profile-schema.ts';

/** What organisations set for themselves, as this process knows it: their policies, and their profiles. */
export interface OrganisationSettings {
  /** The profiles of an organisation by role: its own versions, and the release's where it has none. */
  readonly profilesOf: ProfilesOf;
  /** Has an organisation's profiles read again. */
  readonly forgetProfiles: (organisationId: string) => void;
  close(): Promise<void>;
}

const CHANNEL = 'switchboard_settings';
/** Announcements are heard at once; this finds what was announced while nobody could hear, within the two seconds. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Follows what organisations set, with LISTEN and by looking again. Policies are read before it answers, since decisions
 * wait for nobody; profiles are read when they are asked for.
 */
export async function openOrganisationSettings(options: {
  readonly database: Database;
  readonly url: string;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  /** The profiles of the release. */
  readonly profiles: ReadonlyMap<Role, Profile>;
}): Promise<OrganisationSettings> {
  const follower = new Follower(options);
  await follower.look();
  await follower.listen();
  return {
    profilesOf: (organisationId) => follower.profiles.of(organisationId),
    forgetProfiles: (organisationId) => {
      follower.profiles.forget(organisationId);
    },
    close: () => follower.close(),
  };
}

class Follower {
  readonly profiles: OrganisationProfiles;
  private readonly database: Database;
  private readonly url: string;
  private readonly log: Pick<Logger, 'warn' | 'error'>;
  private readonly timer: NodeJS.Timeout;
  private readonly versions = new Map<string, number>();
  private seen = FIRST_SETTING;
  private looking: Promise<void> | undefined;
  private again = false;
  private failing = false;
  private following: Following | undefined;
  private closed = false;

  constructor({ database, url, log, profiles }: Parameters<typeof openOrganisationSettings>[0]) {
    this.database = database;
    this.url = url;
    this.log = log;
    this.profiles = new OrganisationProfiles(database, profiles);
    this.timer = setInterval(() => void this.lookQuietly(), LOOK_AGAIN_MS).unref();
  }

  async listen(): Promise<void> {
    this.following = await follow(this.url, CHANNEL, { onTold: () => void this.lookQuietly() });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await this.looking?.catch(() => undefined);
    await this.following?.close();
  }

  /** What is known stays in use while the database is away: nothing can be changed there meanwhile. */
  private async lookQuietly(): Promise<void> {
    if (this.closed) return;
    this.again = true;
    if (this.looking) return;
    this.looking = this.lookWhileTold().finally(() => (this.looking = undefined));
    await this.looking;
  }

  private async lookWhileTold(): Promise<void> {
    while (this.again && !this.closed) {
      this.again = false;
      try {
        await this.look();
        this.failing = false;
      } catch (error) {
        if (!this.failing) this.log.warn({ error: String(error) }, 'changed policies and profiles could not be read');
        this.failing = true;
      }
    }
  }

  /** Takes over what changed since the look before. */
  async look(): Promise<void> {
    const { changes, next } = await settingsChangedSince(this.database, this.seen);
    for (const change of changes) await this.take(change);
    this.seen = next;
  }

  private async take({ organisation_id, kind }: SettingChange): Promise<void> {
    if (kind === 'profiles') {
      this.profiles.forget(organisation_id);
      return;
    }
    const row = await this.database.inOrganisation(organisation_id, currentPolicies);
    if (!row || this.versions.get(organisation_id) === row.version) return;
    const faults = setAdditions(organisation_id, row.version, row.text);
    if (faults.length > 0)
      this.log.error(
        { organisation: organisation_id, version: row.version, faults },
        'the policies of an organisation cannot be used: everything of it is refused until they are corrected',
      );
    this.versions.set(organisation_id, row.version);
  }
}
