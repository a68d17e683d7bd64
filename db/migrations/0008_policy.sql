-- Up Migration

-- What organisations add to the policies of the release (forbids only), and their own versions of role profiles. Rows are
-- never changed: a version that was in force can always be read again, and going back is a new version.
CREATE TABLE organisation_policies (
  organisation_id text NOT NULL REFERENCES organisations,
  version integer NOT NULL CHECK (version > 0),
  text text NOT NULL,
  digest text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, version)
);

-- Version 1 of every profile is the file of the release, so stored ones begin with 2.
CREATE TABLE profile_versions (
  organisation_id text NOT NULL REFERENCES organisations,
  role text NOT NULL,
  version integer NOT NULL CHECK (version > 1),
  profile jsonb NOT NULL,
  digest text NOT NULL,
  -- The version whose content it brings back.
  restores integer,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, role, version)
);

-- Who changed what last, for processes that keep it in memory: one row an organisation and kind, written by triggers.
CREATE TABLE setting_changes (
  organisation_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('policies', 'profiles')),
  txid xid8 NOT NULL,
  PRIMARY KEY (organisation_id, kind)
);
CREATE INDEX setting_changes_by_transaction ON setting_changes (txid);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['organisation_policies', 'profile_versions', 'setting_changes'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_setting(''app.organisation'', true)) '
      'WITH CHECK (organisation_id = current_setting(''app.organisation'', true))', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON organisation_policies, profile_versions TO switchboard_app;
GRANT SELECT ON setting_changes TO switchboard_app;

CREATE FUNCTION announce_setting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO setting_changes (organisation_id, kind, txid) VALUES (NEW.organisation_id, TG_ARGV[0], pg_current_xact_id())
    ON CONFLICT (organisation_id, kind) DO UPDATE SET txid = excluded.txid;
  PERFORM pg_notify('switchboard_settings', NEW.organisation_id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION announce_setting() FROM PUBLIC;
CREATE TRIGGER organisation_policies_announced AFTER INSERT ON organisation_policies
  FOR EACH ROW EXECUTE FUNCTION announce_setting('policies');
CREATE TRIGGER profile_versions_announced AFTER INSERT ON profile_versions
  FOR EACH ROW EXECUTE FUNCTION announce_setting('profiles');

-- Asked before an organisation is known. Readers go by transaction, from the oldest that still ran when they looked last,
-- so that a late commit is not skipped.
CREATE FUNCTION settings_changed_since(seen xid8) RETURNS TABLE (organisation_id text, kind text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT s.organisation_id, s.kind FROM setting_changes s WHERE s.txid >= seen
$$;
REVOKE ALL ON FUNCTION settings_changed_since(xid8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settings_changed_since(xid8) TO switchboard_app;
