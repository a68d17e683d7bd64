import { watch } from 'node:fs';
import path from 'node:path';

import { loadBase, POLICY_FOLDER } from './base.ts';

/** Where reloads are told. */
export interface ReloadLog {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

// A release unpacks several files; what is read in between would be half of each.
const SETTLED_MS = 200;
/** SIGHUP means that the terminal is gone, and stops the process. */
const SIGNAL = 'SIGUSR2';
const HAS_SIGNALS = process.platform !== 'win32';

/**
 * Uses the policies of a folder, and reads them again when a file changes or the process gets SIGUSR2. The first time
 * faults are thrown; later they are logged, and what was in use stays in use. Answers how to stop.
 */
export function followBase(log: ReloadLog, folder: string = POLICY_FOLDER): () => void {
  const { policies } = loadBase(folder);
  log.info({ policies: policies.length }, 'policies are in use');
  const reload = (): void => {
    try {
      log.info({ policies: loadBase(folder).policies.length }, 'policies were read again');
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      log.error({ error: told }, 'the changed policies cannot be used; the former ones stay');
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const soon = (_event: string, file: string | null): void => {
    if (file !== null && !/\.cedar(schema)?$/.test(file)) return;
    clearTimeout(timer);
    timer = setTimeout(reload, SETTLED_MS).unref();
  };
  const watchers = [folder, path.join(folder, 'policies')].map((one) => watch(one, { persistent: false }, soon));
  if (HAS_SIGNALS) process.on(SIGNAL, reload);
  return () => {
    clearTimeout(timer);
    process.off(SIGNAL, reload);
    for (const watcher of watchers) watcher.close();
  };
}
