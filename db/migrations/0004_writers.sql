-- Up Migration

-- Which attempt at a workflow's task wrote last: what an earlier one still sends is refused.
CREATE TABLE workflow_writers (
  organisation_id text NOT NULL,
  workflow_id text NOT NULL,
  -- Milliseconds of Temporal's clock.
  attempt_at double precision NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organisation_id, workflow_id)
) WITH (fillfactor = 70);
CREATE INDEX workflow_writers_by_age ON workflow_writers USING brin (updated_at);

ALTER TABLE workflow_writers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON workflow_writers USING (organisation_id = current_setting('app.organisation', true))
  WITH CHECK (organisation_id = current_setting('app.organisation', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON workflow_writers TO switchboard_app;
