-- Up Migration

-- Ids are UUIDv7 (RFC 9562) with a prefix, so that they sort by creation time.
CREATE FUNCTION switchboard_id(prefix text) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT prefix || '_' || encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid::text
$$;

CREATE TABLE organisations (
  organisation_id text PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
  organisation_id text NOT NULL REFERENCES organisations,
  id text NOT NULL,
  external_id text NOT NULL,
  name text NOT NULL,
  email text NOT NULL,
  role text NOT NULL,
  department text NOT NULL,
  title text,
  manager_id text,
  administrator boolean NOT NULL DEFAULT false,
  active boolean NOT NULL DEFAULT true,
  PRIMARY KEY (organisation_id, id),
  UNIQUE (organisation_id, external_id),
  UNIQUE (organisation_id, email),
  FOREIGN KEY (organisation_id, manager_id) REFERENCES users DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX users_by_role ON users (organisation_id, role) WHERE active;
CREATE INDEX users_by_manager ON users (organisation_id, manager_id);

CREATE TABLE agents (
  organisation_id text NOT NULL REFERENCES organisations,
  id text NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  acts_for text,
  skills text[] NOT NULL DEFAULT '{}',
  capacity integer NOT NULL DEFAULT 10,
  version text NOT NULL DEFAULT '1.0.0',
  rollout_weight integer NOT NULL DEFAULT 100,
  status text NOT NULL DEFAULT 'offline' CHECK (status IN ('online', 'draining', 'offline')),
  last_seen_at timestamptz,
  PRIMARY KEY (organisation_id, id),
  UNIQUE (organisation_id, name)
);
CREATE INDEX agents_by_role ON agents (organisation_id, role);

-- Only hashes are kept. The key is looked up before the organisation is known, hence the function below.
CREATE TABLE api_keys (
  organisation_id text NOT NULL REFERENCES organisations,
  key_id text PRIMARY KEY,
  hash bytea NOT NULL,
  principal_kind text NOT NULL CHECK (principal_kind IN ('user', 'agent')),
  principal_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

-- Text and data of tasks, approvals and sessions: sealed until they are masked, then masked only.
CREATE TABLE contents (
  organisation_id text NOT NULL,
  id text NOT NULL,
  sealed bytea,
  masked jsonb,
  found jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, id),
  CHECK (sealed IS NOT NULL OR masked IS NOT NULL)
);

CREATE TABLE pseudonyms (
  organisation_id text NOT NULL,
  pseudonym text NOT NULL,
  entity_type text NOT NULL,
  sealed bytea NOT NULL,
  key_version integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, pseudonym)
);

CREATE TABLE idempotency (
  organisation_id text NOT NULL,
  principal_id text NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  resource_id text NOT NULL,
  status integer,
  sealed_response bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, principal_id, operation, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE tasks (
  organisation_id text NOT NULL,
  id text NOT NULL,
  sequence integer NOT NULL,
  sender_id text NOT NULL,
  sender_kind text NOT NULL,
  sender_role text NOT NULL,
  sender_acts_for text,
  target text NOT NULL,
  role text NOT NULL,
  assignee_kind text,
  assignee_id text,
  status text NOT NULL,
  paused boolean NOT NULL,
  priority smallint NOT NULL,
  attempts smallint NOT NULL,
  progress real,
  lease_until timestamptz,
  respond_by timestamptz,
  complete_by timestamptz,
  sla_breached boolean NOT NULL,
  escalated_to text,
  session_id text,
  parent_task_id text,
  content text NOT NULL,
  result text,
  reason text,
  handoff text,
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (organisation_id, id)
);
-- A list is a merge of short index scans, one for each way a reader is concerned and each status (X-3).
CREATE INDEX tasks_by_sender ON tasks (organisation_id, sender_id, status, id);
CREATE INDEX tasks_by_assignee ON tasks (organisation_id, assignee_id, status, id);
CREATE INDEX tasks_by_role ON tasks (organisation_id, role, status, id);
CREATE INDEX tasks_by_status ON tasks (organisation_id, status, id);
CREATE INDEX tasks_by_session ON tasks (organisation_id, session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX tasks_by_parent ON tasks (organisation_id, parent_task_id, id) WHERE parent_task_id IS NOT NULL;
CREATE INDEX tasks_by_escalation ON tasks (organisation_id, escalated_to, status, id) WHERE escalated_to IS NOT NULL;

CREATE TABLE approvals (
  organisation_id text NOT NULL,
  id text NOT NULL,
  sequence integer NOT NULL,
  status text NOT NULL,
  requester_id text NOT NULL,
  requester_kind text NOT NULL,
  requester_acts_for text,
  task_id text,
  session_id text,
  content text NOT NULL,
  digest text,
  approvers text[] NOT NULL,
  waiting_for text[] NOT NULL,
  requirement text NOT NULL,
  votes jsonb NOT NULL,
  agents_may_decide boolean NOT NULL,
  revision integer NOT NULL,
  escalations integer NOT NULL,
  due_by timestamptz NOT NULL,
  redeem_by timestamptz,
  redeemed_at timestamptz,
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  decided_at timestamptz,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX approvals_by_status ON approvals (organisation_id, status, id);
CREATE INDEX approvals_by_task ON approvals (organisation_id, task_id, id) WHERE task_id IS NOT NULL;
CREATE INDEX approvals_by_session ON approvals (organisation_id, session_id, id) WHERE session_id IS NOT NULL;

CREATE TABLE sessions (
  organisation_id text NOT NULL,
  id text NOT NULL,
  sequence integer NOT NULL,
  creator_id text NOT NULL,
  creator_kind text NOT NULL,
  agent_role text NOT NULL,
  lead text NOT NULL,
  participants text[] NOT NULL,
  status text NOT NULL,
  task_id text,
  content text NOT NULL,
  handoff text,
  reason text,
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  last_transition_at timestamptz NOT NULL,
  paused_at timestamptz,
  completed_at timestamptz,
  failed_at timestamptz,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX sessions_by_status ON sessions (organisation_id, status, id);

-- Who is concerned by an approval or a session, one row a tag: their lists are index scans too.
CREATE TABLE subject_access (
  organisation_id text NOT NULL,
  kind text NOT NULL,
  tag text NOT NULL,
  subject_id text NOT NULL,
  PRIMARY KEY (organisation_id, kind, tag, subject_id)
);
CREATE INDEX subject_access_by_subject ON subject_access (organisation_id, subject_id);

CREATE TABLE shards (
  organisation_id text NOT NULL,
  session_id text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  readers text[] NOT NULL,
  content jsonb NOT NULL,
  written_by text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, session_id, name)
);

CREATE TABLE notifications (
  organisation_id text NOT NULL,
  id text NOT NULL DEFAULT switchboard_id('note'),
  from_id text NOT NULL,
  to_tag text NOT NULL,
  target text NOT NULL,
  level text NOT NULL,
  title text,
  message text NOT NULL,
  data jsonb,
  subject_id text,
  session_id text,
  ack_required boolean NOT NULL DEFAULT false,
  acked_at timestamptz,
  acked_by text,
  trace_id text NOT NULL,
  -- The change that gave rise to it: a change that is recorded again tells nobody twice.
  dedupe_key text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX notifications_once ON notifications (organisation_id, dedupe_key, to_tag) WHERE dedupe_key IS NOT NULL;
CREATE INDEX notifications_by_tag ON notifications (organisation_id, to_tag, id);
CREATE INDEX notifications_unacked ON notifications (organisation_id, to_tag, id) WHERE ack_required AND acked_at IS NULL;

CREATE TABLE channels (
  organisation_id text NOT NULL,
  id text NOT NULL,
  owner text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('webhook', 'slack')),
  sealed_url bytea NOT NULL,
  shown_url text NOT NULL,
  sealed_secret bytea,
  topics text[] NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX channels_by_owner ON channels (organisation_id, owner);

-- What is told to the outside. Readers go by (transaction, id) and stop before transactions still running, so that a
-- late commit is never skipped.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  organisation_id text NOT NULL,
  txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  topic text NOT NULL,
  type text NOT NULL,
  subject_id text NOT NULL,
  audience text[] NOT NULL,
  data jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, txid, id)
);
CREATE INDEX outbox_by_age ON outbox (created_at);

CREATE FUNCTION announce_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('switchboard_outbox', organisation_id) FROM (SELECT DISTINCT organisation_id FROM added) AS told;
  RETURN NULL;
END $$;
CREATE TRIGGER outbox_announced AFTER INSERT ON outbox REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION announce_outbox();

CREATE TABLE deliveries (
  organisation_id text NOT NULL,
  id text NOT NULL DEFAULT switchboard_id('dlvr'),
  channel_id text NOT NULL,
  workflow_id text,
  sequence integer,
  event jsonb NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX deliveries_pending ON deliveries (updated_at) WHERE status = 'pending';
CREATE INDEX deliveries_by_transition ON deliveries (organisation_id, workflow_id, sequence);

CREATE TABLE audit_events (
  position bigint GENERATED ALWAYS AS IDENTITY,
  organisation_id text NOT NULL,
  id text NOT NULL DEFAULT switchboard_id('evt'),
  at timestamptz NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_role text,
  on_behalf_of text,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  task_id text,
  session_id text,
  outcome text NOT NULL,
  policies text[] NOT NULL DEFAULT '{}',
  privacy jsonb NOT NULL DEFAULT '{}',
  details jsonb NOT NULL DEFAULT '{}',
  source text NOT NULL DEFAULT 'switchboard',
  category text NOT NULL,
  trace_id text NOT NULL,
  workflow_id text,
  sequence integer,
  change_id text,
  dedupe_key text,
  PRIMARY KEY (organisation_id, position)
);
CREATE INDEX audit_by_workflow ON audit_events (organisation_id, workflow_id, position) WHERE workflow_id IS NOT NULL;
CREATE UNIQUE INDEX audit_deduplicated ON audit_events (organisation_id, dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX audit_by_subject ON audit_events (organisation_id, subject_id, position);
CREATE INDEX audit_by_task ON audit_events (organisation_id, task_id, position) WHERE task_id IS NOT NULL;
CREATE INDEX audit_by_session ON audit_events (organisation_id, session_id, position) WHERE session_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit_events (organisation_id, actor_id, position);
CREATE INDEX audit_by_action ON audit_events (organisation_id, action, position);
CREATE INDEX audit_by_trace ON audit_events (organisation_id, trace_id, position);

CREATE TABLE delegations (
  organisation_id text NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  delegate_id text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  absent boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, id),
  CHECK (user_id <> delegate_id),
  CHECK (valid_from < valid_until)
);
CREATE INDEX delegations_by_user ON delegations (organisation_id, user_id, valid_until);
CREATE INDEX delegations_by_delegate ON delegations (organisation_id, delegate_id, valid_until);

CREATE TABLE pauses (
  organisation_id text NOT NULL,
  scope text NOT NULL CHECK (scope IN ('agent', 'role', 'organisation')),
  id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, scope, id)
);

-- Every table belongs to organisations: without app.organisation, nothing is seen or written.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['organisations', 'users', 'agents', 'api_keys', 'contents', 'pseudonyms', 'idempotency', 'tasks',
    'approvals', 'sessions', 'subject_access', 'shards', 'notifications', 'channels', 'outbox', 'deliveries',
    'audit_events', 'delegations', 'pauses']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_setting(''app.organisation'', true)) '
      'WITH CHECK (organisation_id = current_setting(''app.organisation'', true))', t);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO switchboard_app', t);
  END LOOP;
  -- The record is append-only: no UPDATE or DELETE on audit_events.
  FOREACH t IN ARRAY ARRAY['users', 'agents', 'api_keys', 'contents', 'idempotency', 'tasks', 'approvals', 'sessions',
    'subject_access', 'shards', 'notifications', 'channels', 'outbox', 'deliveries', 'delegations', 'pauses']
  LOOP
    EXECUTE format('GRANT UPDATE, DELETE ON %I TO switchboard_app', t);
  END LOOP;
END $$;

-- What may be asked before the organisation is known.
CREATE FUNCTION find_api_key(wanted text)
RETURNS TABLE (organisation_id text, hash bytea, principal_kind text, principal_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT k.organisation_id, k.hash, k.principal_kind, k.principal_id
  FROM api_keys k WHERE k.key_id = wanted AND k.revoked_at IS NULL
$$;
CREATE FUNCTION organisation_ids() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT o.organisation_id FROM organisations o
$$;
REVOKE ALL ON FUNCTION find_api_key(text), organisation_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(text), organisation_ids() TO switchboard_app;

