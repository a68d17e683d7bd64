import type { Database } from './pool.ts';

/** What of an organisation has changed. */
export interface SettingChange {
  readonly organisation_id: string;
  readonly kind: 'policies' | 'profiles';
}

/** Where reading of changes begins; everything that was ever set comes after it. */
export const FIRST_SETTING = '0';

/** Changes of all organisations since a look before, and where the next look begins. Some may be told twice, none is missed. */
export async function settingsChangedSince(
  database: Database,
  seen: string,
): Promise<{ readonly changes: readonly SettingChange[]; readonly next: string }> {
  const rows = await database.unscoped((sql) =>
    sql.query<{ next: string; organisation_id: string | null; kind: SettingChange['kind'] }>(
      `SELECT now.xmin AS next, s.organisation_id, s.kind
       FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin) AS now
       LEFT JOIN settings_changed_since($1::xid8) AS s ON true`,
      [seen],
    ),
  );
  const changes = rows.flatMap(({ organisation_id, kind }) =>
    organisation_id === null ? [] : [{ organisation_id, kind }],
  );
  return { changes, next: rows[0]?.next ?? seen };
}
