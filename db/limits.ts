import { IS_DRAINING, ONLINE_SECONDS } from './directory.ts';
import type { Queryable } from './pool.ts';

/** A limit that all processes share: so many points of a key in each window. */
export interface SharedWindow {
  readonly key: string;
  readonly limit: number;
  readonly seconds: number;
}
export interface Taken {
  /** Points that were granted, at most those asked for; 0 when the window is used up. */
  readonly granted: number;
  readonly resetsInMs: number;
}

/** Takes points of the running window, by the clock of the database; whoever takes them uses them until it ends. */
export async function takePoints(sql: Queryable, { key, limit, seconds }: SharedWindow, asked: number): Promise<Taken> {
  const [row] = await sql.query<{ points: string; resets_in_ms: number }>(
    `INSERT INTO request_limits AS l (organisation_id, key, window_start, points)
     VALUES (current_setting('app.organisation'), $1, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $3) * $3), $2)
     ON CONFLICT (organisation_id, key) DO UPDATE SET
       points = CASE WHEN l.window_start < excluded.window_start THEN excluded.points ELSE l.points + excluded.points END,
       window_start = greatest(l.window_start, excluded.window_start)
     RETURNING points, (extract(epoch FROM window_start - clock_timestamp()) * 1000)::float8 + $3 * 1000 AS resets_in_ms`,
    [key, asked, seconds],
  );
  if (!row) throw new Error('The limit could not be counted.');
  const before = Number(row.points) - asked;
  return { granted: Math.max(0, Math.min(asked, limit - before)), resetsInMs: Math.max(1, row.resets_in_ms) };
}

export interface Claims {
  readonly held: number;
  readonly capacity: number | null;
  readonly draining: boolean;
}

/** Tasks that somebody holds, how many an agent that is online says it can hold (null where nobody says), and whether it is drained. */
export async function claimsOf(sql: Queryable, id: string, most: number): Promise<Claims> {
  const [row] = await sql.query<Claims>(
    `SELECT (SELECT count(*)::int FROM (SELECT 1 FROM tasks WHERE assignee_id = $1 AND status = 'active' LIMIT $2) AS active) AS held,
       (SELECT capacity FROM agents WHERE id = $1 AND status = 'online' AND last_seen_at > now() - interval '${String(ONLINE_SECONDS)} seconds') AS capacity,
       coalesce((SELECT ${IS_DRAINING} FROM agents WHERE id = $1), false) AS draining`,
    [id, most],
  );
  return row ?? { held: 0, capacity: null, draining: false };
}
