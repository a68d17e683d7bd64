-- Up Migration

ALTER TABLE users
  ADD COLUMN locale text,
  -- Where the person came from last: seed, csv, scim or manual.
  ADD COLUMN source text NOT NULL DEFAULT 'seed',
  ADD COLUMN assigned_profile text,
  -- Whether the organisation lets them work. `active` is what holds: enabled, and with a role.
  ADD COLUMN enabled boolean NOT NULL DEFAULT true,
  -- Provisioned before a role was assigned; `role` says nothing until then.
  ADD COLUMN awaits_role boolean NOT NULL DEFAULT false,
  -- Deleted by provisioning, which does not see them any more; the record does.
  ADD COLUMN deprovisioned boolean NOT NULL DEFAULT false,
  ADD COLUMN scim_external_id text,
  ADD COLUMN user_name text,
  ADD COLUMN given_name text,
  ADD COLUMN family_name text,
  ADD COLUMN deactivated_at timestamptz,
  ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
  -- Counts changes; the ETag of SCIM.
  ADD COLUMN version bigint NOT NULL DEFAULT 1;

UPDATE users SET enabled = false WHERE NOT active;

-- The address of somebody who left may be given to somebody else.
ALTER TABLE users DROP CONSTRAINT users_organisation_id_email_key;
CREATE UNIQUE INDEX users_by_email ON users (organisation_id, lower(email)) WHERE active;
CREATE INDEX users_by_department ON users (organisation_id, department, id);
CREATE INDEX users_by_scim_external_id ON users (organisation_id, scim_external_id) WHERE scim_external_id IS NOT NULL;
CREATE INDEX users_by_user_name ON users (organisation_id, lower(coalesce(user_name, email)));

ALTER TABLE agents
  ADD COLUMN owner text,
  -- Takes no new work until somebody lets it, whatever its heartbeat says.
  ADD COLUMN drained boolean NOT NULL DEFAULT false,
  -- What the hub's clients register (COMPAT-3).
  ADD COLUMN project_id integer,
  ADD COLUMN type text,
  ADD COLUMN risk_level text,
  ADD COLUMN entry_path text,
  ADD COLUMN description text,
  ADD COLUMN capabilities jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
-- A heartbeat changes no indexed column: with room in the page it is a heap-only update, which leaves nothing to vacuum.
ALTER TABLE agents SET (fillfactor = 50);
CREATE INDEX agents_by_person ON agents (organisation_id, acts_for) WHERE acts_for IS NOT NULL;
CREATE INDEX agents_by_owner ON agents (organisation_id, owner) WHERE owner IS NOT NULL;
CREATE INDEX api_keys_by_principal ON api_keys (organisation_id, principal_id) WHERE revoked_at IS NULL;

CREATE TABLE directory_imports (
  organisation_id text NOT NULL REFERENCES organisations,
  id text NOT NULL,
  filename text NOT NULL,
  digest text NOT NULL,
  uploaded_by text NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'complete', 'failed')),
  users_created integer NOT NULL DEFAULT 0,
  users_updated integer NOT NULL DEFAULT 0,
  users_deactivated integer NOT NULL DEFAULT 0,
  users_reactivated integer NOT NULL DEFAULT 0,
  users_unchanged integer NOT NULL DEFAULT 0,
  fault_count integer NOT NULL DEFAULT 0,
  -- Place and kind of each fault, without the values at fault.
  faults jsonb NOT NULL DEFAULT '[]',
  reason text,
  completed_at timestamptz,
  trace_id text NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_imports_open ON directory_imports (organisation_id, uploaded_at) WHERE status IN ('pending', 'processing');

-- Whose open work has to move, and why; written with the change itself, and carried out by a workflow afterwards.
CREATE TABLE directory_moves (
  organisation_id text NOT NULL REFERENCES organisations,
  id text NOT NULL DEFAULT switchboard_id('move'),
  subject_id text NOT NULL,
  reason text NOT NULL CHECK (reason IN ('left', 'role_changed', 'silent')),
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_moves_open ON directory_moves (organisation_id, id) WHERE done_at IS NULL;

-- Where a change is worked out. Rows live within one transaction at a time, under the organisation's lock, and are never
-- committed; so they are worth no write-ahead log.
CREATE UNLOGGED TABLE directory_incoming (
  organisation_id text NOT NULL,
  user_id text,
  external_id text NOT NULL,
  manager_key text,
  person jsonb NOT NULL
);
CREATE INDEX directory_incoming_by_external_id ON directory_incoming (organisation_id, external_id);
CREATE UNLOGGED TABLE directory_diff (
  organisation_id text NOT NULL,
  user_id text NOT NULL,
  kind text NOT NULL,
  before jsonb,
  after jsonb NOT NULL,
  PRIMARY KEY (organisation_id, user_id)
);

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['directory_imports', 'directory_moves', 'directory_incoming', 'directory_diff']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_setting(''app.organisation'', true)) '
      'WITH CHECK (organisation_id = current_setting(''app.organisation'', true))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO switchboard_app', t);
  END LOOP;
END $$;
