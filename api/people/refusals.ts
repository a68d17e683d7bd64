import type { ErrorCode } from '../../contracts/errors.ts';
import type { ChangeRefusal, DirectoryRefusal } from '../../directory/change.ts';
import { ApiError } from '../problem.ts';

const CODES: Readonly<Record<ChangeRefusal, ErrorCode>> = {
  busy: 'import_running',
  last_administrator: 'last_administrator',
  too_many_deactivations: 'too_many_deactivations',
  address_taken: 'directory_conflict',
  circle: 'directory_conflict',
};

/** A refusal of the directory as callers are told. */
export function refusedChange({ reason, message, counts }: DirectoryRefusal): ApiError {
  const facts = counts && {
    added: counts.added,
    changed: counts.changed,
    deactivated: counts.deactivated,
    reactivated: counts.reactivated,
    active_before: counts.active_before,
  };
  return new ApiError({ code: CODES[reason], detail: message, ...(facts && { facts }) });
}
