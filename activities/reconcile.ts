import { SYSTEM_ORGANISATION } from '../contracts/codec.ts';
import type { DeliveryStart, ReconcileActivities } from '../contracts/deliveries.ts';
import { organisationIds, sweep, untriedDeliveries } from '../db/deliveries.ts';
import { sweepClaims } from '../db/payload-claims.ts';
import { sweepIdentity } from '../db/revocations.ts';
import { sweepWriters } from '../db/writers.ts';
import { sweepContents } from './contents.ts';
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
    for (const id of await database.unscoped(organisationIds)) {
      await database.inOrganisation(id, sweep);
      await database.inOrganisation(id, sweepWriters);
      await database.inOrganisation(id, sweepIdentity);
    }
    for (const id of [...(await database.unscoped(organisationIds)), SYSTEM_ORGANISATION])
      await database.inOrganisation(id, sweepClaims);
    for (const id of await database.unscoped(organisationIds)) await sweepContents(database, id);
  },
});
