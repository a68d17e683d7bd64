import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Database } from '../pool.ts';
import { auditKeysFile, signingKey } from './keys.ts';
import type { SigningKey } from './keys.ts';
import { sealBatch } from './seal.ts';
import type { Sealed } from './seal.ts';
import { keepWitness } from './witness.ts';

const POLL_MS = 250;
const AFTER_FAILURE_MS = 1_000;
const REPORT_EVERY_MS = 60_000;
/** Batches of one organisation before the next one has its turn. */
const TURN = 20;

interface SealerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface SealerOptions {
  readonly database: Database;
  readonly signer: () => SigningKey;
  /** Folder outside of the database in which the newest checkpoint of each organisation is kept. */
  readonly witnessFolder?: string;
  readonly log: SealerLog;
  readonly pollMs?: number;
  readonly checkpointAfterMs?: number;
}

/** A running sealer. */
export interface Sealer {
  /** Finishes the batch in hand, signs what is sealed, and ends. */
  stop(): Promise<void>;
}

/** Organisations that have something to seal or to sign. */
const organisationsToSeal = (database: Database): Promise<string[]> =>
  database.unscoped(async (sql) =>
    (await sql.query<{ id: string }>('SELECT organisations_to_seal() AS id')).map(({ id }) => id),
  );

/** Seals events as they come, in every worker: the lock of each organisation's chain lets one at a time work on it. */
class Loop {
  private readonly options: SealerOptions;
  private readonly ended = new AbortController();
  private readonly running: Promise<void>;
  private failing = false;
  private sealed = 0;
  /** Organisations that still had events waiting at the end of their turn. */
  private behind = 0;
  private reportedAt = Date.now();

  constructor(options: SealerOptions) {
    this.options = options;
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    // What is sealed but not signed could be cut off unnoticed: sign it, where the database is still there.
    await this.pass(true).catch(() => undefined);
  }

  private async run(): Promise<void> {
    const { pollMs = POLL_MS, log } = this.options;
    while (!this.ended.signal.aborted) {
      try {
        await this.pass(false);
        this.failing = false;
        await this.pause(pollMs);
      } catch (error) {
        if (!this.failing) log.warn({ err: error }, 'the record cannot be sealed at the moment; events wait');
        this.failing = true;
        await this.pause(AFTER_FAILURE_MS);
      }
      this.report();
    }
  }

  private async pass(closing: boolean): Promise<void> {
    this.behind = 0;
    for (const organisation of await organisationsToSeal(this.options.database))
      for (let turn = 0; turn < TURN; turn += 1) {
        if (this.ended.signal.aborted && !closing) return;
        const done = await sealBatch(this.options.database, organisation, this.options, { checkpoint: closing });
        this.sealed += done.sealed;
        this.keep(organisation, done);
        if (done.more && !done.busy && turn === TURN - 1) this.behind += 1;
        if (done.busy || !done.more || closing) break;
      }
  }

  private keep(organisation: string, { checkpoint }: Sealed): void {
    const { witnessFolder, log } = this.options;
    if (!checkpoint || witnessFolder === undefined) return;
    try {
      keepWitness(witnessFolder, organisation, checkpoint);
    } catch (error) {
      log.warn({ err: error }, 'the newest checkpoint could not be kept beside the database');
    }
  }

  /** The lag, where an operator looks: a line a minute while events wait or were sealed. */
  private report(): void {
    if (Date.now() - this.reportedAt < REPORT_EVERY_MS) return;
    this.reportedAt = Date.now();
    if (this.sealed > 0) this.options.log.info({ sealed: this.sealed }, 'events were sealed in the last minute');
    if (this.behind > 0) this.options.log.warn({ organisations: this.behind }, 'sealing is behind: events come faster');
    this.sealed = 0;
  }

  private pause(milliseconds: number): Promise<unknown> {
    // Rejected by the stop alone, which the loop looks at next.
    return sleep(milliseconds, undefined, { signal: this.ended.signal }).catch(() => undefined);
  }
}

/** Starts sealing, for all organisations, until it is stopped. */
export const startSealer = (options: SealerOptions): Sealer => new Loop(options);

/** Where the newest checkpoints are kept beside the database. */
export const witnessFolderOf = (dataDir: string): string => path.join(dataDir, 'audit-witness');

/** The sealer of a process, with keys and witness of its data folder; answers how to stop it. */
export function runSealer(database: Database, dataDir: string, log: SealerLog): () => Promise<void> {
  const keys = auditKeysFile(dataDir);
  const sealer = startSealer({
    database,
    signer: () => signingKey(keys),
    witnessFolder: witnessFolderOf(dataDir),
    log,
  });
  return () => sealer.stop();
}
