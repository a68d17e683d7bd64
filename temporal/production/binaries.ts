import path from 'node:path';

import { cacheFolder, isExecutable, onPath } from '../cli-binary.ts';
import { inDraftFolder, installOnce, runLong } from '../install.ts';
import type { Say } from '../install.ts';

/** The release of the Temporal server that is built; the development server of the CLI contains the same. */
const SERVER_VERSION = 'v1.29.1';
const BUILD_MS = 1_200_000;

/** The programs of a Temporal cluster on SQL. */
export interface ServerPrograms {
  readonly server: string;
  /** Sets up and updates its schema. */
  readonly sqlTool: string;
}

/** Finds both in the cache folder, or builds them with Go, once; throws one line that says what is missing. */
export async function findServerPrograms(say: Say, env: NodeJS.ProcessEnv = process.env): Promise<ServerPrograms> {
  const folder = cacheFolder(env, `temporal-server-${SERVER_VERSION}`);
  const server = await findOrBuild(path.join(folder, 'server'), 'cmd/server', say, env);
  const sqlTool = await findOrBuild(path.join(folder, 'sql'), 'cmd/tools/sql', say, env);
  return { server, sqlTool };
}

async function findOrBuild(target: string, command: string, say: Say, env: NodeJS.ProcessEnv): Promise<string> {
  if (isExecutable(target)) return target;
  if (await installOnce(target, () => build(target, command, say, onPath('go', env)), say)) return target;
  throw new Error(
    'The Temporal server is missing: install Go, with which it is built, or set SWITCHBOARD_TEMPORAL_ADDRESS to a server.',
  );
}

async function build(target: string, command: string, say: Say, go: string | undefined): Promise<boolean> {
  if (go === undefined) return false;
  return inDraftFolder(target, async (folder) => {
    const ended = await runLong({
      what: `building the Temporal server with Go (${command}, once, about two minutes)`,
      command: go,
      args: ['install', `go.temporal.io/server/${command}@${SERVER_VERSION}`],
      env: { GOBIN: folder },
      limitMs: BUILD_MS,
      say,
    });
    return ended ? path.basename(target) : undefined;
  });
}
