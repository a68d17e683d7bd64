import { saveHeartbeats } from '../../db/directory.ts';
import type { Heartbeat, SavedHeartbeat } from '../../db/directory.ts';
import type { Database } from '../../db/pool.ts';

/** Heartbeats that come within so long of a write wait for the next one, which takes all of them. */
const TOGETHER_MS = 500;

type Saved = SavedHeartbeat | undefined;
interface Waiting {
  beat: Heartbeat;
  readonly saved: PromiseWithResolvers<Saved>;
}
interface Organisation {
  readonly waiting: Map<string, Waiting>;
  wroteAt: number;
  planned: boolean;
}

/**
 * Writes heartbeats of many agents with one statement. A lone one is written at once; of thousands, each write takes those
 * of half a second, so that what agents cost by merely being there hardly grows with their number.
 */
export class Heartbeats {
  private readonly organisations = new Map<string, Organisation>();
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Writes a sign of life; undefined where there is no such agent. */
  save(organisationId: string, beat: Heartbeat): Promise<SavedHeartbeat | undefined> {
    const organisation = this.organisations.get(organisationId) ?? newOrganisation();
    this.organisations.set(organisationId, organisation);
    const before = organisation.waiting.get(beat.id);
    const entry: Waiting = before ?? { beat, saved: Promise.withResolvers<Saved>() };
    // What an earlier one said and this one does not still holds.
    entry.beat = { ...beat, ...said(entry.beat), ...said(beat) };
    organisation.waiting.set(beat.id, entry);
    if (!organisation.planned) this.plan(organisationId, organisation);
    return entry.saved.promise;
  }

  private plan(organisationId: string, organisation: Organisation): void {
    organisation.planned = true;
    const wait = Math.max(0, organisation.wroteAt + TOGETHER_MS - Date.now());
    setTimeout(() => void this.write(organisationId, organisation), wait);
  }

  private async write(organisationId: string, organisation: Organisation): Promise<void> {
    const entries = new Map(organisation.waiting);
    organisation.waiting.clear();
    organisation.planned = false;
    organisation.wroteAt = Date.now();
    try {
      const beats = [...entries.values()].map(({ beat }) => beat);
      const rows = await this.database.inOrganisation(organisationId, (sql) => saveHeartbeats(sql, beats));
      for (const saved of rows) entries.get(saved.agent.id)?.saved.resolve(saved);
      for (const { saved } of entries.values()) saved.resolve(undefined);
    } catch (error) {
      for (const { saved } of entries.values()) saved.reject(error);
    }
  }
}

const newOrganisation = (): Organisation => ({ waiting: new Map<string, Waiting>(), wroteAt: 0, planned: false });

/** The fields that a heartbeat sets. */
const said = (beat: Heartbeat): Partial<Heartbeat> =>
  Object.fromEntries(Object.entries(beat).filter(([, value]) => value !== null));
