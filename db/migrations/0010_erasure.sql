-- Up Migration

-- An organisation that was erased: only its record is left, which names nobody.
ALTER TABLE organisations ADD COLUMN erased_at timestamptz;
