import type { Principal } from '../../contracts/principal.ts';
import type { TaskScope } from '../../db/tasks.ts';

interface Filter {
  readonly assignee?: string | undefined;
  readonly session_id?: string | undefined;
  readonly parent_task_id?: string | undefined;
}

/** Work that a caller could do: assigned to it, to the user it acts for, escalated to it, or waiting for its role. */
export function workScopes({ id, role, acts_for }: Principal): TaskScope[] {
  const names = acts_for === null ? [id] : [id, acts_for];
  return [
    ...names.map((value): TaskScope => ({ column: 'assignee_id', value })),
    ...names.map((value): TaskScope => ({ column: 'escalated_to', value })),
    { column: 'role', value: role, unassigned: true },
  ];
}

/** The ways in which a caller may be concerned by the tasks of a list; administrators see all of the organisation's. */
export function taskScopes(principal: Principal, { assignee }: Filter): TaskScope[] {
  const { id, acts_for, administrator, role } = principal;
  if (assignee === 'me') return workScopes(principal);
  if (assignee !== undefined && administrator) return [{ column: 'assignee_id', value: assignee }];
  if (administrator) return [{ column: 'any', value: '' }];
  const senders = acts_for === null ? [id] : [id, acts_for];
  const sent = senders.map((value): TaskScope => ({ column: 'sender_id', value }));
  const all: TaskScope[] = [...sent, ...workScopes(principal), { column: 'role', value: role }];
  return assignee === undefined ? all : all.map((scope) => ({ ...scope, assignee }));
}
