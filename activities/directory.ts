import type { DirectoryActivities, DirectorySweepActivities } from '../contracts/directory-workflow.ts';
import { appendAudit } from '../db/audit.ts';
import { organisationIds } from '../db/deliveries.ts';
import { failInterrupted } from '../db/people/imports.ts';
import {
  finishIdleMoves,
  finishMoves,
  hasPendingMoves,
  openWorkOf,
  pendingMoves,
  silenceAgents,
  sweepMoves,
} from '../db/people/moves.ts';
import type { Database, Queryable } from '../db/pool.ts';
import type { ActivityDeps } from './deps.ts';

/** What moving open work asks of the database. */
export const createDirectoryActivities = ({ database }: Pick<ActivityDeps, 'database'>): DirectoryActivities => ({
  pendingMoves: ({ organisation_id, limit }) =>
    database.inOrganisation(organisation_id, async (sql) => {
      await finishIdleMoves(sql);
      return pendingMoves(sql, limit);
    }),

  openWorkOf: ({ organisation_id, move, after, limit }) =>
    database.inOrganisation(organisation_id, (sql) => openWorkOf(sql, move, after, limit)),

  async finishMoves({ organisation_id, ids }) {
    await database.inOrganisation(organisation_id, (sql) => finishMoves(sql, ids));
  },
});

/** The line of the record for an agent that stopped answering. */
const silenced = (id: string) => ({
  at: new Date().toISOString(),
  actor_kind: 'service',
  actor_id: 'switchboard',
  actor_role: null,
  on_behalf_of: null,
  action: 'agent.silent',
  subject_kind: 'agent',
  subject_id: id,
  task_id: null,
  session_id: null,
  outcome: 'ok',
  policies: [],
  privacy: {},
  details: { status: 'offline' },
  source: 'switchboard',
  category: 'agent',
  trace_id: `silence:${id}`,
  dedupe_key: null,
});

async function sweepOne(database: Database, organisationId: string): Promise<boolean> {
  const upkeep = async (sql: Queryable): Promise<boolean> => {
    const silent = await silenceAgents(sql);
    if (silent.length > 0) await appendAudit(sql, silent.map(silenced));
    await failInterrupted(sql);
    await sweepMoves(sql);
    return hasPendingMoves(sql);
  };
  return database.transaction(organisationId, upkeep);
}

/** Upkeep of the directory, organisation by organisation. */
export const createDirectorySweep = ({ database }: Pick<ActivityDeps, 'database'>): DirectorySweepActivities => ({
  async sweepDirectory() {
    const waiting: string[] = [];
    for (const id of await database.unscoped(organisationIds)) if (await sweepOne(database, id)) waiting.push(id);
    return waiting;
  },
});
