-- Up Migration

-- What each caller has used of a limit that all API processes share: one row for each caller and limit, so the table does
-- not grow with use. Unlogged: counters of the running minute are worth no write-ahead log; after a crash they begin anew.
CREATE UNLOGGED TABLE request_limits (
  organisation_id text NOT NULL,
  key text NOT NULL,
  window_start timestamptz NOT NULL,
  points bigint NOT NULL,
  PRIMARY KEY (organisation_id, key)
);
ALTER TABLE request_limits ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON request_limits
  USING (organisation_id = current_setting('app.organisation', true))
  WITH CHECK (organisation_id = current_setting('app.organisation', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON request_limits TO switchboard_app;
