import { readdirSync } from 'node:fs';
import path from 'node:path';

import { inDraftFolder, runLong } from './install.ts';

const CLI_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const DOWNLOAD_HOST = 'https://temporal.download';
const REACH_HOST_MS = 4000;
const DOWNLOAD_MS = 180_000;
const BUILD_MS = 1_200_000;

/** Lets the SDK download its server and moves it to the target; false where that is not possible. */
export async function downloadCli(target: string, say: (line: string) => void): Promise<boolean> {
  if (!(await canReach(DOWNLOAD_HOST))) return false;
  return inDraftFolder(target, async (folder) => {
    const script = path.join(import.meta.dirname, 'sdk-download.ts');
    await runLong({
      what: 'downloading the Temporal server',
      command: process.execPath,
      args: [script, folder],
      limitMs: DOWNLOAD_MS,
      say,
    });
    return readdirSync(folder).find((file) => file.startsWith('temporal'));
  });
}

/** Builds the CLI with Go and moves it to the target; false where there is no Go or it fails. */
export async function buildCli(target: string, say: (line: string) => void, go: string | undefined): Promise<boolean> {
  if (go === undefined) return false;
  return inDraftFolder(target, async (folder) => {
    const ended = await runLong({
      what: 'building the Temporal CLI with Go (once, about three minutes)',
      command: go,
      args: ['install', CLI_PACKAGE],
      env: { GOBIN: folder },
      limitMs: BUILD_MS,
      say,
    });
    return ended ? 'temporal' : undefined;
  });
}

async function canReach(host: string): Promise<boolean> {
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(REACH_HOST_MS) });
    return true;
  } catch {
    return false;
  }
}
