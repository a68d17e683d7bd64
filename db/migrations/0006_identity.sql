-- Up Migration

-- Who an issuer's subject is. Made at the first sign-in by verified e-mail, of people of the directory only; a person has
-- one identity at an issuer, so that an address that is given to somebody else opens nobody's account.
CREATE TABLE user_identities (
  organisation_id text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  user_id text NOT NULL,
  linked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, issuer, subject),
  UNIQUE (organisation_id, issuer, user_id),
  FOREIGN KEY (organisation_id, user_id) REFERENCES users ON DELETE CASCADE
);

-- Agents of people: one for each person and client, made at the client's first use.
CREATE TABLE user_agents (
  organisation_id text NOT NULL,
  user_id text NOT NULL,
  client_id text NOT NULL,
  agent_id text NOT NULL,
  PRIMARY KEY (organisation_id, user_id, client_id),
  FOREIGN KEY (organisation_id, user_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (organisation_id, agent_id) REFERENCES agents ON DELETE CASCADE
);

-- Clients that sign in for themselves (client credentials), and which agent each is.
CREATE TABLE agent_clients (
  organisation_id text NOT NULL,
  issuer text NOT NULL,
  client_id text NOT NULL,
  -- Subject of its tokens, where that is not the id of the client (Microsoft Entra ID).
  subject text,
  agent_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, client_id),
  FOREIGN KEY (organisation_id, agent_id) REFERENCES agents ON DELETE CASCADE
);

-- What is not accepted any more, until it would have expired anyway: `token:<jti>`, `session:<sid>`, or `principal:<id>`,
-- whose tokens issued before that moment end.
CREATE TABLE revocations (
  organisation_id text NOT NULL,
  id text NOT NULL,
  revoked_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX revocations_by_age ON revocations (expires_at);

-- Browser sessions. Only the hash of the id in the cookie is kept.
CREATE TABLE login_sessions (
  organisation_id text NOT NULL,
  hash bytea NOT NULL,
  user_id text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  -- The provider's session, where it names it: its end ends this one.
  provider_session text,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, hash),
  FOREIGN KEY (organisation_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX login_sessions_by_hash ON login_sessions (hash);
CREATE INDEX login_sessions_by_user ON login_sessions (organisation_id, user_id);
CREATE INDEX login_sessions_by_age ON login_sessions (expires_at);

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['user_identities', 'user_agents', 'agent_clients', 'revocations', 'login_sessions']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_setting(''app.organisation'', true)) '
      'WITH CHECK (organisation_id = current_setting(''app.organisation'', true))', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO switchboard_app', t);
  END LOOP;
END $$;

-- Tells every process, which keeps callers in memory for a moment.
CREATE FUNCTION announce_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('switchboard_identity', coalesce(NEW.organisation_id, OLD.organisation_id));
  RETURN NULL;
END $$;
CREATE TRIGGER revocations_announced AFTER INSERT OR UPDATE ON revocations
  FOR EACH ROW EXECUTE FUNCTION announce_identity();
CREATE TRIGGER login_sessions_announced AFTER DELETE ON login_sessions
  FOR EACH ROW EXECUTE FUNCTION announce_identity();
CREATE TRIGGER agent_clients_announced AFTER UPDATE OR DELETE ON agent_clients
  FOR EACH ROW EXECUTE FUNCTION announce_identity();
CREATE TRIGGER user_identities_announced AFTER UPDATE OR DELETE ON user_identities
  FOR EACH ROW EXECUTE FUNCTION announce_identity();
CREATE TRIGGER users_announced AFTER UPDATE OF active, role, administrator ON users FOR EACH ROW
  WHEN (OLD.active IS DISTINCT FROM NEW.active OR OLD.role IS DISTINCT FROM NEW.role
    OR OLD.administrator IS DISTINCT FROM NEW.administrator)
  EXECUTE FUNCTION announce_identity();

-- What may be asked before the organisation is known.
CREATE FUNCTION find_agent_client(wanted_issuer text, wanted_client text)
RETURNS TABLE (organisation_id text, agent_id text, subject text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT c.organisation_id, c.agent_id, c.subject
  FROM agent_clients c WHERE c.issuer = wanted_issuer AND c.client_id = wanted_client
$$;
CREATE FUNCTION find_login_session(wanted bytea, idle interval)
RETURNS TABLE (organisation_id text, user_id text, issuer text, subject text, provider_session text, created_at timestamptz,
  used_at timestamptz, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT s.organisation_id, s.user_id, s.issuer, s.subject, s.provider_session, s.created_at, s.used_at, s.expires_at
  FROM login_sessions s WHERE s.hash = wanted AND s.expires_at > now() AND s.used_at > now() - idle
$$;
REVOKE ALL ON FUNCTION find_agent_client(text, text), find_login_session(bytea, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_agent_client(text, text), find_login_session(bytea, interval) TO switchboard_app;
