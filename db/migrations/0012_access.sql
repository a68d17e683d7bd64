-- Up Migration

-- Tokens of identity providers that provision people (SCIM). Only hashes are kept; the id is part of the token.
CREATE TABLE provisioning_tokens (
  organisation_id text NOT NULL REFERENCES organisations,
  id text PRIMARY KEY,
  hash bytea NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX provisioning_tokens_by_organisation ON provisioning_tokens (organisation_id, created_at);

ALTER TABLE provisioning_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON provisioning_tokens
  USING (organisation_id = current_setting('app.organisation', true))
  WITH CHECK (organisation_id = current_setting('app.organisation', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON provisioning_tokens TO switchboard_app;
CREATE TRIGGER provisioning_tokens_announced AFTER UPDATE OR DELETE ON provisioning_tokens
  FOR EACH ROW EXECUTE FUNCTION announce_identity();

-- A client that signs in for itself is an agent, or a service that keeps people up to date. Processes of before find no
-- agent for a service, and refuse it.
ALTER TABLE agent_clients ALTER COLUMN agent_id DROP NOT NULL;
ALTER TABLE agent_clients ADD COLUMN service_id text;
ALTER TABLE agent_clients ADD CONSTRAINT one_kind CHECK (num_nonnulls(agent_id, service_id) = 1);
CREATE INDEX agent_clients_by_agent ON agent_clients (organisation_id, agent_id);

-- What may be asked before the organisation is known.
CREATE FUNCTION find_provisioning_token(wanted text)
RETURNS TABLE (organisation_id text, hash bytea, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT p.organisation_id, p.hash, p.expires_at FROM provisioning_tokens p
  WHERE p.id = wanted AND p.revoked_at IS NULL AND p.expires_at > now()
$$;
CREATE FUNCTION find_client(wanted_issuer text, wanted_client text)
RETURNS TABLE (organisation_id text, agent_id text, service_id text, subject text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT c.organisation_id, c.agent_id, c.service_id, c.subject
  FROM agent_clients c WHERE c.issuer = wanted_issuer AND c.client_id = wanted_client
$$;
REVOKE ALL ON FUNCTION find_provisioning_token(text), find_client(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_provisioning_token(text), find_client(text, text) TO switchboard_app;
