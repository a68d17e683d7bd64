import { auditKeysFile, signingKey } from '../../db/audit/keys.ts';
import { applyRetention } from '../../db/audit/retention.ts';
import { organisationIds } from '../../db/deliveries.ts';
import { say } from '../say.ts';
import { withDatabase } from './database.ts';
import type { AuditOptions } from './options.ts';

const DAY_MS = 86_400_000;

function daysOf({ days, config }: AuditOptions): number | undefined {
  if (days === undefined) return config.auditRetentionDays;
  if (!/^[1-9]\d{0,4}$/.test(days)) throw new Error(`--days ${days}: must be a whole number from 1.`);
  return Number(days);
}

/** Removes what the policy says is to be kept no longer; run it daily. Without a policy everything is kept. */
export async function runRetain(options: AuditOptions): Promise<number> {
  const days = daysOf(options);
  if (days === undefined) {
    say('Everything is kept: SWITCHBOARD_AUDIT_RETENTION_DAYS is not set.');
    return 0;
  }
  const before = new Date(Date.now() - days * DAY_MS);
  const signer = () => signingKey(auditKeysFile(options.config.dataDir));
  return withDatabase(options.config, 'owner', async (database) => {
    const all = await database.unscoped(organisationIds);
    for (const organisation of all.filter((id) => options.organisation === undefined || id === options.organisation)) {
      const done = await applyRetention(database, organisation, { before, signer });
      say(
        done
          ? `${organisation}: removed ${String(done.removed)} events, links ${String(done.from)} to ${String(done.through)}`
          : `${organisation}: nothing to remove`,
      );
    }
    return 0;
  });
}
