-- An agent that is held back from new work passes on what it has not begun.
ALTER TABLE directory_moves DROP CONSTRAINT directory_moves_reason_check;
ALTER TABLE directory_moves ADD CONSTRAINT directory_moves_reason_check
  CHECK (reason IN ('left', 'role_changed', 'silent', 'draining'));
