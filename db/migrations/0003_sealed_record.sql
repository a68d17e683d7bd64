-- Up Migration

-- Events that are not sealed yet. A row becomes visible when its event does, at whatever time its transaction commits, so
-- a late one is sealed late and never skipped (docs/decisions/0011-sealed-record.md).
CREATE TABLE audit_pending (
  organisation_id text NOT NULL,
  position bigint NOT NULL,
  added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, position)
);

-- The hash chain of an organisation: one row for each sealed event.
CREATE TABLE audit_seals (
  organisation_id text NOT NULL,
  index bigint NOT NULL CHECK (index > 0),
  position bigint NOT NULL,
  event_id text NOT NULL,
  event_digest bytea NOT NULL CHECK (length(event_digest) = 32),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  sealed_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, index),
  UNIQUE (organisation_id, position)
);

-- Signed statements about the chain, each a compact JWS: where it stood, and what was removed by retention.
CREATE TABLE audit_checkpoints (
  organisation_id text NOT NULL,
  index bigint NOT NULL,
  jws text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, index)
);
CREATE INDEX audit_checkpoints_by_time ON audit_checkpoints (organisation_id, created_at);
CREATE TABLE audit_retentions (
  organisation_id text NOT NULL,
  through bigint NOT NULL,
  jws text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, through)
);

CREATE UNIQUE INDEX audit_by_id ON audit_events (organisation_id, id);

-- Every append says by itself what is to be sealed, whoever appends.
CREATE FUNCTION await_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO audit_pending (organisation_id, position) SELECT organisation_id, position FROM added;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION await_seal() FROM PUBLIC;
CREATE TRIGGER audit_events_await_seal AFTER INSERT ON audit_events REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION await_seal();
INSERT INTO audit_pending (organisation_id, position) SELECT organisation_id, position FROM audit_events;

-- Append-only for everybody, the owner of the tables included. Only what a retention statement covers may be removed.
CREATE FUNCTION keep_record() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
  covered boolean := false;
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF TG_TABLE_NAME = 'audit_events' THEN
      SELECT true INTO covered FROM audit_seals s JOIN audit_retentions r USING (organisation_id)
        WHERE s.organisation_id = OLD.organisation_id AND s.position = OLD.position AND s.index <= r.through LIMIT 1;
    ELSIF TG_TABLE_NAME = 'audit_seals' THEN
      SELECT true INTO covered FROM audit_retentions r
        WHERE r.organisation_id = OLD.organisation_id AND OLD.index <= r.through LIMIT 1;
    ELSIF TG_TABLE_NAME = 'audit_checkpoints' THEN
      SELECT true INTO covered FROM audit_retentions r
        WHERE r.organisation_id = OLD.organisation_id AND OLD.index < r.through LIMIT 1;
    END IF;
    IF covered THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'The record is append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['audit_events', 'audit_seals', 'audit_checkpoints', 'audit_retentions']
  LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION keep_record()',
      t || '_kept', t);
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION keep_record()', t || '_not_removed', t);
    -- Also where a session says that it is a replica.
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', t, t || '_kept');
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', t, t || '_not_removed');
  END LOOP;
  FOREACH t IN ARRAY ARRAY['audit_pending', 'audit_seals', 'audit_checkpoints', 'audit_retentions']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_setting(''app.organisation'', true)) '
      'WITH CHECK (organisation_id = current_setting(''app.organisation'', true))', t);
    EXECUTE format('GRANT SELECT ON %I TO switchboard_app', t);
  END LOOP;
  GRANT DELETE ON audit_pending TO switchboard_app;
  GRANT INSERT ON audit_seals, audit_checkpoints TO switchboard_app;
END $$;

-- Organisations with events to seal, or seals that no checkpoint covers yet: asked before an organisation is known.
CREATE FUNCTION organisations_to_seal() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT o.organisation_id FROM organisations o
  WHERE EXISTS (SELECT 1 FROM audit_pending p WHERE p.organisation_id = o.organisation_id)
    OR coalesce((SELECT max(s.index) FROM audit_seals s WHERE s.organisation_id = o.organisation_id), 0)
      > coalesce((SELECT max(c.index) FROM audit_checkpoints c WHERE c.organisation_id = o.organisation_id), 0)
$$;
REVOKE ALL ON FUNCTION organisations_to_seal() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organisations_to_seal() TO switchboard_app;

-- How often upkeep met content that is still sealed: a measure of time in which workers were at work.
ALTER TABLE contents ADD COLUMN sweeps smallint NOT NULL DEFAULT 0;
CREATE INDEX contents_sealed ON contents (organisation_id, created_at) WHERE sealed IS NOT NULL;
