import type { DeliveryStart, ReconcileActivities } from '../contracts/deliveries.ts';
import { organisationIds, sweep, untriedDeliveries } from '../db/deliveries.ts';
import type { ActivityDeps } from './deps.ts';

/** Upkeep, organisation by organisation: row-level security knows no query over all of them. */
export const createReconcileActivities = ({ database }: Pick<ActivityDeps, 'database'>): ReconcileActivities => ({
  async unsentDeliveries() {
    const unsent: DeliveryStart[] = [];
    for (const id of await database.unscoped(organisationIds))
      unsent.push(...(await database.inOrganisation(id, untriedDeliveries)));
    return unsent;
  },

  async sweep() {
    for (const id of await database.unscoped(organisationIds)) await database.inOrganisation(id, sweep);
  },
});
