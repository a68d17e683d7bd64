import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Database } from '../../db/pool.ts';
import type { AnyRow, OrganisationData } from '../../db/organisation-data.ts';
import type { Guard } from '../../privacy/guard.ts';
import { ENTITY_TYPES } from '../../contracts/principal.ts';

/** What an export is made from, and where it goes. */
export interface ExportOptions {
  readonly data: OrganisationData;
  readonly organisationId: string;
  readonly guard: Guard;
  readonly database: Database;
  /** A folder that does not exist yet. */
  readonly to: string;
}

/** One file of an export. */
export interface ExportedFile {
  readonly file: string;
  readonly rows: number;
  readonly sha256: string;
}

const FILE_MODE = 0o600;

/** Writes everything that is stored of an organisation, a file of JSON lines for each table, pseudonyms with their values. */
export async function exportOrganisation(options: ExportOptions): Promise<ExportedFile[]> {
  const { data, to, organisationId } = options;
  mkdirSync(to, { mode: 0o700 });
  const files: ExportedFile[] = [];
  for (const table of await data.tables()) {
    const inClear = table === 'pseudonyms' ? withValues(options) : (rows: readonly AnyRow[]) => Promise.resolve(rows);
    files.push(await writeTable(path.join(to, `${table}.jsonl`), data.rows(table), inClear));
  }
  const manifest = { organisation_id: organisationId, exported_at: new Date().toISOString(), files };
  writeFileSync(path.join(to, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: FILE_MODE });
  return files;
}

/** Whoever gets the export gets what it means: texts hold pseudonyms, and this file says what they stand for. */
const withValues =
  ({ guard, organisationId }: ExportOptions) =>
  async (rows: readonly AnyRow[]): Promise<readonly AnyRow[]> => {
    const names = rows.map(({ pseudonym }) => String(pseudonym));
    const values = (await guard.unmask(organisationId, names, ENTITY_TYPES)) as string[];
    return rows.map((row, at) => ({ ...row, value: values[at] }));
  };

async function writeTable(
  file: string,
  chunks: AsyncIterable<readonly AnyRow[]>,
  inClear: (rows: readonly AnyRow[]) => Promise<readonly AnyRow[]>,
): Promise<ExportedFile> {
  const hash = createHash('sha256');
  let count = 0;
  async function* lines(): AsyncIterable<string> {
    for await (const rows of chunks) {
      const text = (await inClear(rows)).map((row) => `${JSON.stringify(row)}\n`).join('');
      hash.update(text);
      count += rows.length;
      yield text;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file, { mode: FILE_MODE, flags: 'wx' }));
  return { file: path.basename(file), rows: count, sha256: hash.digest('hex') };
}
