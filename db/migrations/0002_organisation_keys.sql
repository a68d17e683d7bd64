-- Up Migration

-- One key per organisation and version, sealed under the master key. What is encrypted outside of this database
-- (workflow histories) is unreadable once the keys are gone: that is how an organisation is erased.
CREATE TABLE organisation_keys (
  organisation_id text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  wrapped bytea,
  -- Version of the master key that it is sealed under.
  master_version integer NOT NULL,
  status text NOT NULL CHECK (status IN ('current', 'retired', 'erased')),
  created_at timestamptz NOT NULL DEFAULT now(),
  erased_at timestamptz,
  PRIMARY KEY (organisation_id, version),
  CHECK ((status = 'erased') = (erased_at IS NOT NULL)),
  CHECK ((status = 'erased') = (wrapped IS NULL))
);
CREATE UNIQUE INDEX organisation_keys_current ON organisation_keys (organisation_id) WHERE status = 'current';

-- Erasure is for ever: nothing brings a key back, and no new one is made for an organisation that was erased.
CREATE FUNCTION keep_keys_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.status = 'erased' THEN
    RAISE EXCEPTION 'the keys of % were erased', OLD.organisation_id USING ERRCODE = 'raise_exception';
  END IF;
  IF TG_OP = 'INSERT' AND EXISTS (
    SELECT 1 FROM organisation_keys k WHERE k.organisation_id = NEW.organisation_id AND k.status = 'erased'
  ) THEN
    RAISE EXCEPTION 'the keys of % were erased', NEW.organisation_id USING ERRCODE = 'raise_exception';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER organisation_keys_stay_erased BEFORE INSERT OR UPDATE ON organisation_keys
  FOR EACH ROW EXECUTE FUNCTION keep_keys_erased();

-- Tells every process, which keeps keys in memory for a moment.
CREATE FUNCTION announce_organisation_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('switchboard_keys', NEW.organisation_id);
  RETURN NULL;
END $$;
CREATE TRIGGER organisation_keys_announced AFTER INSERT OR UPDATE ON organisation_keys
  FOR EACH ROW EXECUTE FUNCTION announce_organisation_key();

-- Payloads too large for a history; it holds a reference instead. Encrypted before they come here.
CREATE TABLE payload_claims (
  organisation_id text NOT NULL,
  id text NOT NULL,
  payload bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, id)
);
ALTER TABLE payload_claims ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX payload_claims_by_age ON payload_claims (organisation_id, created_at);

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['organisation_keys', 'payload_claims']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_setting(''app.organisation'', true)) '
      'WITH CHECK (organisation_id = current_setting(''app.organisation'', true))', t);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO switchboard_app', t);
  END LOOP;
END $$;
-- A key is never deleted: what is left of one that was erased says when.
GRANT UPDATE ON organisation_keys TO switchboard_app;
GRANT DELETE ON payload_claims TO switchboard_app;
