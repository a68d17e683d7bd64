import type { Database, Queryable } from '../pool.ts';
import type { Finding, Verified } from './findings.ts';
import { readStatement } from './statement.ts';
import { recordOf } from './stream.ts';
import type { Range } from './stream.ts';
import { Verifier } from './verifier.ts';
import type { Verifying } from './verifier.ts';
import { readWitness } from './witness.ts';

const PAGE = 5_000;
const OWN = "organisation_id = current_setting('app.organisation')";

/** What only the database can tell: events that nobody sealed, announced ones that are gone, an end that was cut off. */
export interface StoredRecord extends Verified {
  /** Events that wait to be sealed. */
  readonly pending: number;
}

/** Events without a seal that do not wait for one either: they came in past the record. */
async function* unsealedEvents(database: Database, organisation: string): AsyncGenerator<Finding> {
  for (let after = '0'; ;) {
    const at = after;
    // Read in one statement: an event that is sealed meanwhile is either still waiting or sealed already.
    const rows = await database.inOrganisation(organisation, (sql) =>
      sql.query<{ position: string; id: string; added: boolean }>(
        `SELECT e.position::text, e.id,
           NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.${OWN} AND s.position = e.position)
           AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.${OWN} AND p.position = e.position) AS added
         FROM (SELECT position, id FROM audit_events WHERE ${OWN} AND position > $1 ORDER BY audit_events.position LIMIT ${String(PAGE)}) e
         ORDER BY e.position`,
        [at],
      ),
    );
    for (const { position, id, added } of rows)
      if (added)
        yield {
          kind: 'event_added',
          position,
          event_id: id,
          detail: `Event ${id} at position ${position} was never sealed and does not wait to be: it was not added in the way of the record.`,
        };
    after = rows.at(-1)?.position ?? after;
    if (rows.length < PAGE) return;
  }
}

/** Positions that were announced to be sealed and whose event is gone. */
async function lostEvents(sql: Queryable): Promise<Finding[]> {
  const rows = await sql.query<{ position: string }>(
    `SELECT p.position::text FROM (SELECT position FROM audit_pending WHERE ${OWN} ORDER BY audit_pending.position LIMIT ${String(PAGE)}) p
     WHERE NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.${OWN} AND e.position = p.position)`,
  );
  return rows.map(({ position }) => ({
    kind: 'event_missing',
    position,
    detail: `The event at position ${position} was removed before it was sealed.`,
  }));
}

/** The checkpoint kept outside of the database must still be in it, or be of what retention removed. */
async function comparedWithWitness(
  sql: Queryable,
  jws: string,
  { keys }: Pick<Verifying, 'keys'>,
): Promise<Finding | undefined> {
  const read = await readStatement('checkpoint', jws, keys);
  if ('fault' in read)
    return { kind: 'checkpoint_invalid', detail: `The checkpoint kept beside the database ${read.fault}.` };
  const { index } = read.statement;
  const [row] = await sql.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM audit_checkpoints WHERE ${OWN} AND index = $1 AND jws = $2)
       OR EXISTS (SELECT 1 FROM audit_retentions WHERE ${OWN} AND through > $1) AS there`,
    [index, jws],
  );
  if (row?.there === true) return undefined;
  return {
    kind: 'end_missing',
    index,
    detail: `The checkpoint at link ${String(index)} that is kept beside the database is not in it: the record was cut off, or put back to an earlier state.`,
  };
}

const pendingEvents = async (sql: Queryable): Promise<number> =>
  Number(
    (await sql.query<{ count: string }>(`SELECT count(*)::text AS count FROM audit_pending WHERE ${OWN}`))[0]?.count,
  );

export interface VerifyingStored extends Verifying {
  readonly range?: Range;
  readonly witnessFolder?: string;
}

/** Verifies the record of an organisation as the database holds it, in constant memory. */
export async function verifyStored(
  database: Database,
  organisation: string,
  { keys, onFinding, range = {}, witnessFolder }: VerifyingStored,
): Promise<StoredRecord> {
  const verifier = new Verifier({ keys, onFinding });
  for await (const item of recordOf(database, organisation, range)) await verifier.accept(item);
  const verified = verifier.finish();
  let more = 0;
  const found = (finding: Finding | undefined): void => {
    if (!finding) return;
    more += 1;
    onFinding(finding);
  };
  const witness = witnessFolder === undefined ? undefined : readWitness(witnessFolder, organisation);
  if (witness !== undefined)
    found(await database.inOrganisation(organisation, (sql) => comparedWithWitness(sql, witness, { keys })));
  if (range.from === undefined && range.to === undefined) {
    for (const finding of await database.inOrganisation(organisation, lostEvents)) found(finding);
    for await (const finding of unsealedEvents(database, organisation)) found(finding);
  }
  const pending = await database.inOrganisation(organisation, pendingEvents);
  return { ...verified, findings: verified.findings + more, pending };
}
