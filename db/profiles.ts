import type { Role } from '../contracts/principal.ts';
import type { Queryable } from './pool.ts';
import { publish } from './record.ts';

/** One version of a role's profile that an organisation stored. */
export interface ProfileVersionRow {
  readonly role: Role;
  readonly version: number;
  readonly profile: unknown;
  readonly digest: string;
  /** The version whose content it brings back. */
  readonly restores: number | null;
  readonly created_by: string;
  readonly created_at: Date;
}

const COLUMNS = 'role, version, profile, digest, restores, created_by, created_at';

/** The versions in force, of the roles that have one. */
export const currentProfiles = (sql: Queryable): Promise<ProfileVersionRow[]> =>
  sql.query<ProfileVersionRow>(
    `SELECT DISTINCT ON (role) ${COLUMNS} FROM profile_versions ORDER BY role, version DESC`,
  );

/** Every stored version of a role's profile, the newest first. */
export const profileHistory = (sql: Queryable, role: Role): Promise<ProfileVersionRow[]> =>
  sql.query<ProfileVersionRow>(`SELECT ${COLUMNS} FROM profile_versions WHERE role = $1 ORDER BY version DESC`, [role]);

/** Makes changes of a role's profile wait for each other; inside a transaction. */
export const lockProfile = (sql: Queryable, role: Role): Promise<object[]> =>
  sql.query(
    "SELECT pg_advisory_xact_lock(hashtextextended('profile|' || current_setting('app.organisation') || '|' || $1, 0))",
    [role],
  );

/** Stores a version. */
export async function addProfile(
  sql: Queryable,
  row: Omit<ProfileVersionRow, 'created_at'>,
): Promise<ProfileVersionRow | undefined> {
  const rows = await sql.query<ProfileVersionRow>(
    `INSERT INTO profile_versions (organisation_id, role, version, profile, digest, restores, created_by)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    [row.role, row.version, JSON.stringify(row.profile), row.digest, row.restores, row.created_by],
  );
  return rows[0];
}

/** Which profile somebody is to fetch, and how that came. */
export interface ProfileNews {
  readonly type: 'profile.changed' | 'profile.assigned';
  readonly role: Role;
  readonly version: number;
  readonly digest: string;
  /** Tags of those it concerns: `role:<role>` after a change, `user:<id>` or `agent:<id>` where it was assigned. */
  readonly audience: readonly string[];
  readonly traceId: string;
}

/** Tells agents and people that are online which profile they now have (DIR-2); in the transaction of the change. */
export const announceProfile = (sql: Queryable, news: ProfileNews): Promise<{ id: string }[]> =>
  publish(sql, {
    topic: 'profiles',
    type: news.type,
    subject_id: news.role,
    audience: news.audience,
    data: {
      type: news.type,
      id: news.role,
      role: news.role,
      version: news.version,
      digest: news.digest,
      at: new Date().toISOString(),
      trace_id: news.traceId,
    },
  });
