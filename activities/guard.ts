import type { GuardActivities, MaskCounts, MaskedSummary } from '../contracts/content.ts';
import { refused } from '../contracts/parse.ts';
import type { EntityType } from '../contracts/principal.ts';
import { getContent, replaceByMasked } from '../db/contents.ts';
import type { ActivityDeps } from './deps.ts';

/** What was masked, and whether somebody with this clearance will see it. */
export const summaryOf = (found: MaskCounts, clearance: readonly EntityType[]): MaskedSummary =>
  (Object.entries(found) as [EntityType, number][]).map(([type, count]) => ({
    type,
    count,
    visible_to_receiver: clearance.includes(type),
  }));

/** Masks content where it is stored, so that no clear text ever travels through Temporal. */
export const createGuardActivities = ({ database, guard, envelope, profilesOf }: ActivityDeps): GuardActivities => ({
  async mask({ organisation_id, content, receiver_role }) {
    const row = await database.inOrganisation(organisation_id, (sql) => getContent(sql, content));
    if (!row) throw refused({ code: 'not_found', detail: `Content ${content} does not exist.` });
    const profile = receiver_role === null ? undefined : (await profilesOf(organisation_id)).get(receiver_role);
    const clearance = profile?.privacy.clearance ?? [];
    if (row.sealed === null) return summaryOf(row.found, clearance);
    const { value, found } = await guard.mask(organisation_id, envelope.open(organisation_id, content, row.sealed));
    await database.inOrganisation(organisation_id, (sql) => replaceByMasked(sql, content, value, found));
    return summaryOf(found, clearance);
  },

  async unmask({ organisation_id, content, clearance }) {
    const row = await database.inOrganisation(organisation_id, (sql) => getContent(sql, content));
    if (!row) throw refused({ code: 'not_found', detail: `Content ${content} does not exist.` });
    return guard.unmask(organisation_id, row.masked, clearance);
  },
});
