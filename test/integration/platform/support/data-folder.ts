import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

interface Cleaning {
  teardown(clean: () => void): void;
}

/** A data folder of its own, which every user may pass through and which goes with the test. */
export function dataFolder(t: Cleaning, mode = 0o711): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-test-'));
  chmodSync(folder, mode);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
