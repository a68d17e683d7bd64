import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { readIfPresent } from '../../platform/files.ts';
import { canWrite, makePrivateFolder, ownerOf, unprivilegedUser } from './run-user.ts';
import type { RunUser } from './run-user.ts';

/** Where the cluster is kept when the server's user cannot reach the data folder. */
const ELSEWHERE = '/var/lib/switchboard';

/** File in the data folder that remembers a cluster kept elsewhere. */
const REMEMBERED = 'postgres-location';

/** File beside a cluster kept elsewhere: the data folder it belongs to. */
const BELONGS_TO = 'belongs-to';

/** A cluster's folder, and the user who runs its server. */
export interface Location {
  readonly cluster: string;
  readonly user: RunUser | undefined;
}

/** Where the cluster lives (its parent is made here, the cluster by initdb): where it was, beside, or elsewhere. */
export function locateCluster(dataDir: string): Location {
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const real = realpathSync(dataDir);
  const beside = path.join(real, 'postgres');
  const known = rememberedFolder(real) ?? (existsSync(beside) ? beside : undefined);
  if (known !== undefined) return { cluster: path.join(known, 'cluster'), user: ownerOf(known) };
  const user = unprivilegedUser();
  makePrivateFolder(beside, user);
  if (canWrite(beside, user)) return { cluster: path.join(beside, 'cluster'), user };
  rmdirSync(beside);
  return { cluster: path.join(moveElsewhere(real, user), 'cluster'), user };
}

/** Removes the cluster and what remembers it: for databases that live as long as a test. */
export function removeCluster(dataDir: string): void {
  const elsewhere = readIfPresent(path.join(dataDir, REMEMBERED))?.trim();
  for (const folder of [elsewhere, path.join(dataDir, 'postgres')]) {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
  for (const file of [REMEMBERED, 'postgres-credentials.json']) rmSync(path.join(dataDir, file), { force: true });
}

function rememberedFolder(dataDir: string): string | undefined {
  const folder = readIfPresent(path.join(dataDir, REMEMBERED))?.trim();
  if (folder === undefined || !existsSync(folder)) return undefined;
  const owner = readIfPresent(path.join(folder, BELONGS_TO))?.trim();
  if (owner !== undefined && owner !== dataDir && existsSync(path.join(owner, REMEMBERED))) {
    throw new Error(
      `${dataDir} is a copy of ${owner}, whose database is in ${folder}: remove ${path.join(dataDir, REMEMBERED)} to start with an empty one.`,
    );
  }
  if (owner !== dataDir) writeFileSync(path.join(folder, BELONGS_TO), `${dataDir}\n`);
  return folder;
}

function moveElsewhere(dataDir: string, user: RunUser | undefined): string {
  const folder = path.join(ELSEWHERE, createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
  mkdirSync(ELSEWHERE, { recursive: true, mode: 0o711 });
  // Left by a data folder that was deleted: its passwords are gone with it, so it cannot be opened any more.
  if (existsSync(folder)) renameSync(folder, `${folder}.replaced-${String(Date.now())}`);
  makePrivateFolder(folder, user);
  if (!canWrite(folder, user))
    throw new Error(`The user of Postgres cannot write in ${folder}: set SWITCHBOARD_DATA_DIR.`);
  writeFileSync(path.join(folder, BELONGS_TO), `${dataDir}\n`);
  writeFileSync(path.join(dataDir, REMEMBERED), `${folder}\n`);
  return folder;
}
