import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';

import { exportLine } from '../../db/audit/export-file.ts';
import { recordOf } from '../../db/audit/stream.ts';
import type { Database } from '../../db/pool.ts';
import { organisationOf, withDatabase } from './database.ts';
import type { AuditOptions } from './options.ts';

const PIECE = 64 * 1024;

/** Writes the record as fast as it is taken; memory holds two pages of it. */
async function write(
  database: Database,
  organisation: string,
  out: Writable,
  { from, to }: AuditOptions,
): Promise<void> {
  let piece = '';
  for await (const item of recordOf(database, organisation, { from, to })) {
    piece += exportLine(item);
    if (piece.length < PIECE) continue;
    if (!out.write(piece)) await once(out, 'drain');
    piece = '';
  }
  await new Promise<void>((resolve, reject) => {
    out.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

/** Streams the record of an organisation to standard output or to a file. */
export const runExport = (options: AuditOptions): Promise<number> =>
  withDatabase(options.config, 'app', async (database) => {
    const organisation = await organisationOf(database, options.organisation);
    if (options.out === undefined) {
      await write(database, organisation, process.stdout, options);
      return 0;
    }
    const file = createWriteStream(options.out, { mode: 0o600 });
    await once(file, 'open');
    await write(database, organisation, file, options);
    file.end();
    await once(file, 'close');
    return 0;
  });
