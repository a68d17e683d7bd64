import { applyDiff } from '../db/people/apply.ts';
import type { ChangedBy } from '../db/people/apply.ts';
import { addressTaken, countDiff, makesCircle, readDiff, workOutDiff } from '../db/people/diff.ts';
import type { ChangeCounts, ChangeRow } from '../db/people/diff.ts';
import { clearStage, identifyStaged, stagePeople, takeDirectory } from '../db/people/stage.ts';
import type { StagedPerson } from '../db/people/stage.ts';
import type { Queryable } from '../db/pool.ts';

/** Why a change of the directory is refused. */
export type ChangeRefusal = 'busy' | 'last_administrator' | 'too_many_deactivations' | 'address_taken' | 'circle';

/** A refusal; nothing was changed. */
export class DirectoryRefusal extends Error {
  readonly reason: ChangeRefusal;
  readonly counts: ChangeCounts | undefined;
  constructor(reason: ChangeRefusal, message: string, counts?: ChangeCounts) {
    super(message);
    this.name = 'DirectoryRefusal';
    this.reason = reason;
    this.counts = counts;
  }
}

export interface ChangeRequest {
  readonly people: Iterable<readonly StagedPerson[]> | AsyncIterable<readonly StagedPerson[]>;
  /** Whether these are all people there are: who is not among them leaves. */
  readonly whole: boolean;
  readonly by: ChangedBy;
  /** Waits for a change under way, or is refused. */
  readonly wait: boolean;
  /** Works out the diff only. The caller rolls back. */
  readonly dryRun?: boolean;
  /** Lets more than a fifth of the active people leave at once. */
  readonly confirmed?: boolean;
  /** Lines of the diff that are wanted. */
  readonly lines?: number;
}

export interface Changed {
  readonly counts: ChangeCounts;
  readonly diff: readonly ChangeRow[];
  /** People whose open work has to move now. */
  readonly moves: number;
  /** Why a dry run would be refused. */
  readonly refusal?: DirectoryRefusal;
}

/** More of the active people than this may not leave at once unless somebody says that it is meant. */
export const LEAVERS_AT_ONCE = 0.2;

async function refusalOf(
  sql: Queryable,
  counts: ChangeCounts,
  { whole, confirmed = false }: ChangeRequest,
): Promise<DirectoryRefusal | undefined> {
  const { deactivated, active_before } = counts;
  if (counts.administrators_before > 0 && counts.administrators_after === 0)
    return new DirectoryRefusal('last_administrator', 'Nobody would be left to administer the organisation.', counts);
  if (whole && !confirmed && deactivated > active_before * LEAVERS_AT_ONCE)
    return new DirectoryRefusal(
      'too_many_deactivations',
      `${String(deactivated)} of ${String(active_before)} active people would be deactivated, more than a fifth.`,
      counts,
    );
  // A whole chart was checked row by row, and leaves nobody out.
  if (whole) return undefined;
  if (await addressTaken(sql)) return new DirectoryRefusal('address_taken', 'Somebody else has this e-mail address.');
  if (await makesCircle(sql)) return new DirectoryRefusal('circle', 'Somebody would be their own manager.');
  return undefined;
}

/**
 * The one way in which people change, whoever brings it: file, provisioning or administrator. Call it in a transaction; it
 * holds the directory's lock to its end. Throws DirectoryRefusal.
 */
export async function changeDirectory(sql: Queryable, request: ChangeRequest): Promise<Changed> {
  if (!(await takeDirectory(sql, request.wait)))
    throw new DirectoryRefusal('busy', 'Another change of the directory is under way.');
  for await (const lot of request.people) await stagePeople(sql, lot);
  await identifyStaged(sql);
  await workOutDiff(sql, request.whole);
  const counts = await countDiff(sql);
  const diff = request.lines === undefined ? [] : await readDiff(sql, request.lines);
  const refusal = await refusalOf(sql, counts, request);
  if (request.dryRun) return { counts, diff, moves: 0, ...(refusal && { refusal }) };
  if (refusal) throw refusal;
  const concerned = counts.added + counts.changed + counts.deactivated + counts.reactivated;
  const moves = await applyDiff(sql, request.by, concerned);
  await clearStage(sql);
  return { counts, diff, moves };
}
