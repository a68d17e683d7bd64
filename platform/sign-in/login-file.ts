import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { readIfPresent } from '../files.ts';
import { acquireLock, LockHeldError } from '../lock-file.ts';

/** A sign-in that is kept between runs. */
const Login = z.object({
  issuer: z.string(),
  client_id: z.string(),
  audience: z.string(),
  access_token: z.string(),
  refresh_token: z.string().optional(),
  obtained_at: z.number(),
  expires_at: z.number(),
});
export type Login = z.infer<typeof Login>;
const Logins = z.record(z.string(), Login);

const LOCK_WITHIN_MS = 15_000;

/** Where sign-ins are kept: the user's configuration folder (XDG Base Directory; APPDATA on Windows). */
export function loginFile(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = env;
  const home = env['HOME'] ?? os.homedir();
  const base = xdg !== undefined && path.isAbsolute(xdg) ? xdg : (appData ?? path.join(home, '.config'));
  return path.join(base, 'switchboard', 'logins.json');
}

/** Reads the sign-in at an API; undefined where there is none. */
export const readLogin = (file: string, apiUrl: string): Login | undefined => readAll(file)[apiUrl];

/** Keeps a sign-in, or forgets it; readable by its owner alone, and never half written. */
export function saveLogin(file: string, apiUrl: string, login: Login | undefined): void {
  const { [apiUrl]: _, ...others } = readAll(file);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const all = login ? { ...others, [apiUrl]: login } : others;
  writeFileSync(draft, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Does something to the sign-ins that no other process does meanwhile: a refresh token counts once. */
export async function withLogins<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const deadline = Date.now() + LOCK_WITHIN_MS;
  for (;;) {
    try {
      const lock = acquireLock(`${file}.lock`);
      return await work().finally(() => lock.release());
    } catch (error) {
      if (!(error instanceof LockHeldError) || Date.now() > deadline) throw error;
      await sleep(50 + Math.random() * 100);
    }
  }
}

function readAll(file: string): Record<string, Login> {
  const text = readIfPresent(file);
  if (text === undefined) return {};
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  const parsed = Logins.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${file} holds no sign-ins. Remove it and sign in again.`);
  return parsed.data;
}
