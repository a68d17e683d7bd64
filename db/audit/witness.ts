import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { readIfPresent } from '../../platform/files.ts';
import { claimsOf } from './statement.ts';

const fileOf = (folder: string, organisation: string): string =>
  path.join(folder, `${organisation.replaceAll(/[^\w-]/g, '_')}.jws`);

/** Keeps the newest checkpoint outside of the database: whoever cuts off the end of the chain there is found out. */
export function keepWitness(
  folder: string,
  organisation: string,
  { index, jws }: { readonly index: number; readonly jws: string },
): void {
  const present = readWitness(folder, organisation);
  // Of two workers that share the folder, the slower one must not put the older checkpoint over the newer.
  if (present !== undefined && claimsOf('checkpoint', present).index > index) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = fileOf(folder, organisation);
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, `${jws}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** The checkpoint kept outside of the database, where there is one. */
export const readWitness = (folder: string, organisation: string): string | undefined =>
  readIfPresent(fileOf(folder, organisation))?.trim();
