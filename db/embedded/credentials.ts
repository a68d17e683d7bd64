import path from 'node:path';
import { z } from 'zod';

import { randomPassword, readOrCreatePrivate } from '../../platform/files.ts';

const Credentials = z.object({ superuser: z.string(), owner: z.string(), app: z.string() });

/** Passwords of the three database roles of the embedded server. */
export type Credentials = z.infer<typeof Credentials>;

/** The passwords, made once and kept in a file that only this user can read. */
export function readCredentials(dataDir: string): Credentials {
  const file = path.join(dataDir, 'postgres-credentials.json');
  const create = (): string =>
    JSON.stringify({ superuser: randomPassword(), owner: randomPassword(), app: randomPassword() });
  const parsed = Credentials.safeParse(JSON.parse(readOrCreatePrivate(file, create)));
  if (!parsed.success)
    throw new Error(`${file} is damaged: restore it, or remove the whole data folder to start anew.`);
  return parsed.data;
}
