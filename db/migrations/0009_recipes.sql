-- Up Migration

-- One row a run of a recipe: written by its workflow, read by lists.
CREATE TABLE recipe_runs (
  organisation_id text NOT NULL,
  id text NOT NULL,
  sequence integer NOT NULL,
  role text NOT NULL,
  recipe text NOT NULL,
  trigger text NOT NULL,
  started_by text NOT NULL,
  status text NOT NULL,
  task_id text,
  reason text,
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX recipe_runs_by_recipe ON recipe_runs (organisation_id, role, recipe, id);

-- What schedules are in Temporal, as a digest of what they were made from, and which of them somebody has paused.
CREATE TABLE recipe_schedules (
  organisation_id text NOT NULL REFERENCES organisations,
  role text NOT NULL,
  recipe text NOT NULL,
  digest text,
  paused boolean NOT NULL DEFAULT false,
  paused_by text,
  PRIMARY KEY (organisation_id, role, recipe)
);

ALTER TABLE recipe_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON recipe_runs USING (organisation_id = current_setting('app.organisation', true))
  WITH CHECK (organisation_id = current_setting('app.organisation', true));
ALTER TABLE recipe_schedules ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON recipe_schedules USING (organisation_id = current_setting('app.organisation', true))
  WITH CHECK (organisation_id = current_setting('app.organisation', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON recipe_runs, recipe_schedules TO switchboard_app;
