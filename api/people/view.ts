import type { ImportView, UserView } from '../../contracts/directory.ts';
import type { ImportRow } from '../../db/people/imports.ts';
import type { PersonRow } from '../../db/people/users.ts';
import { iso, isoOrNull } from '../views.ts';

const statusOf = ({ active, enabled }: PersonRow): UserView['status'] => {
  if (active) return 'active';
  return enabled ? 'awaiting_role' : 'inactive';
};

/** Somebody, as administrators read them. */
export const userView = (row: PersonRow): UserView => ({
  id: row.id,
  user_id: row.external_id,
  employee_id: row.external_id,
  name: row.name,
  email: row.email,
  role: row.awaits_role ? null : row.role,
  department: row.department,
  title: row.title,
  locale: row.locale,
  manager_id: row.manager_id,
  profile: row.assigned_profile ?? row.role,
  assigned_profile: row.assigned_profile,
  administrator: row.administrator,
  status: statusOf(row),
  source: row.source,
  deactivated_at: isoOrNull(row.deactivated_at),
  updated_at: iso(row.updated_at),
  version: Number(row.version),
});

/** An import, as administrators read it. */
export const importView = (row: Omit<ImportRow, 'faults'>): ImportView => ({
  id: row.id,
  import_id: row.id,
  filename: row.filename,
  digest: row.digest,
  uploaded_by: row.uploaded_by,
  uploaded_at: iso(row.uploaded_at),
  status: row.status,
  users_created: row.users_created,
  users_updated: row.users_updated,
  users_deactivated: row.users_deactivated,
  users_reactivated: row.users_reactivated,
  users_unchanged: row.users_unchanged,
  fault_count: row.fault_count,
  reason: row.reason,
  completed_at: isoOrNull(row.completed_at),
  trace_id: row.trace_id,
});
