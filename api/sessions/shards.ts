import type { z } from 'zod';

import { tagOf } from '../../contracts/actor.ts';
import type { Json } from '../../contracts/json.ts';
import { readShard, writeShard } from '../../contracts/sessions.ts';
import type { ShardView } from '../../contracts/sessions.ts';
import { publish } from '../../db/record.ts';
import { addShard, findShard, replaceShard } from '../../db/shards.ts';
import type { ShardRow } from '../../db/shards.ts';
import type { Queryable } from '../../db/pool.ts';
import { isAddressed } from '../../policy/tags.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { inClear, iso } from '../views.ts';
import { readableSession, roleOf } from './handlers.ts';
import { sessionResource } from './view.ts';

const ENDED = ['completed', 'failed', 'cancelled', 'expired'];
const noShard = (name: string): ApiError => notFound(`Shard ${name}`);

const viewOf = async (deps: ApiDeps, call: Call, row: ShardRow): Promise<ShardView> => ({
  session_id: row.session_id,
  name: row.name,
  version: row.version,
  readers: row.readers,
  content: await inClear(deps.guard, call.principal, row.content as Json),
  written_by: row.written_by,
  updated_at: iso(row.updated_at),
});

/** The version inside an If-Match header: `"4"`, or 4 where it was not quoted. */
function versionOf(ifMatch: string | number): number {
  const version = Number(/^(?:W\/)?"?(\d{1,9})"?$/.exec(String(ifMatch))?.[1] ?? Number.NaN);
  if (Number.isNaN(version))
    throw new ApiError({ code: 'invalid_input', detail: 'If-Match: must be the version you read, e.g. "4".' });
  return version;
}

type WriteInput = z.output<typeof writeShard.input>;

/** Writes under the version that the caller read; of two writers at once, one is told to read again. */
async function store(
  sql: Queryable,
  call: Call,
  input: WriteInput,
  content: Json,
  participants: readonly string[],
): Promise<ShardRow> {
  const { session_id, name, if_match } = input;
  const found = await findShard(sql, session_id, name, true);
  const hidden = found !== undefined && !isAddressed(call.principal, found.readers.map(tagOf));
  // Whoever may not read it is answered as if it did not exist (SESS-3), and does not overwrite it.
  const present = hidden ? undefined : found;
  const readers = input.readers ?? present?.readers ?? [...participants];
  const shard = { session_id, name, readers, content, written_by: call.principal.id };
  const stale = new ApiError({
    code: 'precondition_failed',
    detail: `Shard ${name} is at version ${String(present?.version ?? 0)}.`,
    facts: { version: present?.version ?? 0 },
  });
  if (hidden || (if_match === undefined && present)) throw stale;
  const written =
    if_match === undefined ? await addShard(sql, shard) : await replaceShard(sql, shard, versionOf(if_match));
  if (!written) throw stale;
  return written;
}

async function write(deps: ApiDeps, call: Call, input: WriteInput): Promise<ShardView> {
  const { organisation_id } = call.principal;
  const session = await readableSession(deps, call, input.session_id);
  await requirePermission(deps, call, 'shard:write', sessionResource(session), session.id);
  if (ENDED.includes(session.status))
    throw new ApiError({
      code: 'illegal_transition',
      detail: `The session is ${session.status}.`,
      facts: { state: session.status, allowed: [] },
    });
  for (const reader of input.readers ?? []) await roleOf(deps, call, reader);
  const masked = await deps.guard.mask(organisation_id, input.content);
  const row = await deps.database.transaction(organisation_id, async (sql) => {
    const written = await store(sql, call, input, masked.value, session.participants);
    // Only readers learn of it: the line names the shard, so it is addressed to them and to nobody else.
    const audience = written.readers.map(tagOf);
    const facts = { shard: written.name, version: written.version };
    await recordEvent(sql, call, {
      action: 'session.shard_written',
      kind: 'session',
      id: session.id,
      session_id: session.id,
      privacy: masked.found,
      details: { ...facts, audience },
    });
    const data = { type: 'session.shard_written', id: session.id, ...facts, trace_id: call.traceId };
    await publish(sql, { topic: 'sessions', type: data.type, subject_id: session.id, audience, data });
    return written;
  });
  return viewOf(deps, call, row);
}

/** Routes of the shared context of sessions. */
export function mountShards(mounting: Mounting): void {
  const { deps } = mounting;
  mount(mounting, readShard, async ({ session_id, name }, call) => {
    const session = await readableSession(deps, call, session_id);
    await requirePermission(deps, call, 'shard:read', sessionResource(session), session.id);
    const row = await deps.database.inOrganisation(call.principal.organisation_id, (sql) =>
      findShard(sql, session_id, name),
    );
    // The same answer whether it does not exist or is not for this reader (SESS-3).
    if (!row || !isAddressed(call.principal, row.readers.map(tagOf))) throw noShard(name);
    return viewOf(deps, call, row);
  });
  mount(mounting, writeShard, (input, call) => write(deps, call, input), { waits: true });
}
