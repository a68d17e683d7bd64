import type { Queryable } from './pool.ts';

export interface SeededPerson {
  readonly id: string;
  readonly external_id: string;
  readonly name: string;
  readonly email: string;
  readonly role: string;
  readonly department: string;
  readonly title: string | null;
  readonly manager_id: string | null;
  readonly administrator: boolean;
}
export interface SeededAgent {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly skills: readonly string[];
  readonly capacity: number;
}
export interface Named {
  readonly kind: 'user' | 'agent';
  readonly id: string;
  readonly name: string;
  readonly role: string;
}

/** Adds an organisation with its people and agents, unless it is there. */
export async function addOrganisation(
  sql: Queryable,
  organisation: {
    readonly id: string;
    readonly name: string;
    readonly people: readonly SeededPerson[];
    readonly agents: readonly SeededAgent[];
  },
): Promise<void> {
  await sql.query('INSERT INTO organisations (organisation_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    organisation.id,
    organisation.name,
  ]);
  await sql.query(
    `INSERT INTO users (organisation_id, id, external_id, name, email, role, department, title, manager_id, administrator)
     SELECT current_setting('app.organisation'), p.* FROM jsonb_to_recordset($1) AS p(id text, external_id text, name text,
       email text, role text, department text, title text, manager_id text, administrator boolean) ON CONFLICT DO NOTHING`,
    [JSON.stringify(organisation.people)],
  );
  await sql.query(
    `INSERT INTO agents (organisation_id, id, name, role, skills, capacity)
     SELECT current_setting('app.organisation'), a.id, a.name, a.role, ARRAY(SELECT jsonb_array_elements_text(a.skills)), a.capacity
     FROM jsonb_to_recordset($1) AS a(id text, name text, role text, skills jsonb, capacity integer) ON CONFLICT DO NOTHING`,
    [JSON.stringify(organisation.agents)],
  );
}

/** Everybody who can have a key. */
export const listPrincipals = (sql: Queryable): Promise<Named[]> =>
  sql.query<Named>(
    `SELECT 'user' AS kind, id, name, role FROM users WHERE active
     UNION ALL SELECT 'agent', id, name, role FROM agents ORDER BY kind, name`,
  );

/** Gives somebody a key; only its hash is kept. Earlier keys of theirs end. */
export async function setKey(
  sql: Queryable,
  who: Pick<Named, 'kind' | 'id'>,
  keyId: string,
  hash: Buffer,
): Promise<void> {
  await sql.query('UPDATE api_keys SET revoked_at = now() WHERE principal_id = $1 AND revoked_at IS NULL', [who.id]);
  await sql.query(
    `INSERT INTO api_keys (organisation_id, key_id, hash, principal_kind, principal_id)
     VALUES (current_setting('app.organisation'), $1, $2, $3, $4)`,
    [keyId, hash, who.kind, who.id],
  );
}
