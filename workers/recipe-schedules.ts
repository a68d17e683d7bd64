import { setTimeout as sleep } from 'node:timers/promises';

import type { Role } from '../contracts/principal.ts';
import { organisationIds } from '../db/deliveries.ts';
import { isErased } from '../db/organisation-keys.ts';
import type { Database } from '../db/pool.ts';
import { forgetRecipeSchedule, listRecipeSchedules, noteRecipeSchedule } from '../db/recipes.ts';
import type { RecipeScheduleRow } from '../db/recipes.ts';
import type { Profile } from '../directory/profile-schema.ts';
import { digestOf } from '../platform/digest.ts';
import type { Logger } from '../platform/log.ts';
import { putRecipeSchedule, removeRecipeSchedule } from '../temporal/recipe-schedules.ts';
import type { Client, RecipeSchedule } from '../temporal/recipe-schedules.ts';

/** What keeps the schedules in Temporal as profiles and pauses want them. */
export interface RecipeSchedulesDeps {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  readonly profilesOf: (organisationId: string) => Promise<ReadonlyMap<Role, Profile>>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Pauses take effect at once, by whoever sets them; this is for new profiles, new organisations, and lost calls. */
const LOOK_EVERY_MS = 30_000;

const keyOf = ({ role, recipe }: Pick<RecipeScheduleRow, 'role' | 'recipe'>): string => `${role}/${recipe}`;

function wantedOf(
  organisation_id: string,
  profiles: ReadonlyMap<Role, Profile>,
  rows: readonly RecipeScheduleRow[],
): RecipeSchedule[] {
  const paused = new Set(rows.filter((row) => row.paused).map(keyOf));
  return [...profiles.values()].flatMap(({ role, recipes }) =>
    recipes.map(({ name, schedule, timezone, enabled }) => ({
      organisation_id,
      role,
      recipe: name,
      cron: schedule,
      timezone,
      paused: !enabled || paused.has(`${role}/${name}`),
    })),
  );
}

/** Brings the schedules of one organisation up to date; only what differs from last time costs a call to Temporal. */
export async function syncRecipeSchedules(deps: RecipeSchedulesDeps, organisationId: string): Promise<void> {
  const { database, client, taskQueue } = deps;
  const inside = <T>(work: Parameters<typeof database.inOrganisation<T>>[1]): Promise<T> =>
    database.inOrganisation(organisationId, work);
  const rows = await inside(listRecipeSchedules);
  const erased = await inside(isErased);
  const wanted = erased ? [] : wantedOf(organisationId, await deps.profilesOf(organisationId), rows);
  const known = new Map(rows.map((row) => [keyOf(row), row]));
  for (const recipe of wanted) {
    const digest = digestOf({ ...recipe, taskQueue }) ?? '';
    if (known.get(keyOf(recipe))?.digest === digest) continue;
    await putRecipeSchedule(client, recipe, taskQueue);
    await inside((sql) => noteRecipeSchedule(sql, recipe, digest));
  }
  const names = new Set(wanted.map(keyOf));
  for (const row of rows.filter((one) => !names.has(keyOf(one)))) {
    await removeRecipeSchedule(client, { ...row, organisation_id: organisationId }, taskQueue);
    await inside((sql) => forgetRecipeSchedule(sql, row));
  }
}

/** Keeps all schedules up to date until it is stopped; any number of workers may do so at once. */
export function keepRecipeSchedules(deps: RecipeSchedulesDeps): () => Promise<void> {
  const ended = new AbortController();
  const running = (async () => {
    while (!ended.signal.aborted) {
      try {
        for (const id of await deps.database.unscoped(organisationIds)) await syncRecipeSchedules(deps, id);
      } catch (error) {
        deps.log.warn({ err: error }, 'the schedules of recipes could not be brought up to date; trying again');
      }
      // Rejected by the stop alone, which the loop looks at next.
      await sleep(LOOK_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    ended.abort();
    await running;
  };
}
