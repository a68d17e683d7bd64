import { parseArgs } from 'node:util';

import { loadConfig } from '../../platform/config.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { listBuilds, promoteBuild, rampBuild } from '../../temporal/versions.ts';
import type { Build, Deployment } from '../../temporal/versions.ts';
import { say } from '../say.ts';

const USAGE = `versions list
versions ramp --build ID --percentage N     send N percent of new workflows to a build
versions promote --build ID     send all new workflows to a build
versions rollback     end the ramp, or else go back to the build before`;

interface Command {
  readonly deployment: Deployment;
  readonly build: string | undefined;
  readonly percentage: string | undefined;
}

const commands: Readonly<Record<string, (command: Command) => Promise<void>>> = { list, ramp, promote, rollback };

/** `switchboard versions …`: which build of the workers gets new workflows. Answers the exit code. */
export async function runVersions(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { build: { type: 'string' }, percentage: { type: 'string' } },
  });
  const run = commands[positionals[0] ?? ''];
  if (run === undefined || positionals.length > 1) throw new Error(USAGE);
  const { temporalAddress, temporalPort, temporalNamespace: namespace, workerDeployment: name } = loadConfig();
  const address = temporalAddress ?? `127.0.0.1:${String(temporalPort)}`;
  const { connection } = await connectTemporal({ address, namespace });
  try {
    await run({ deployment: { connection, namespace, name }, build: values.build, percentage: values.percentage });
  } finally {
    await connection.close();
  }
  return 0;
}

function routeOf({ current, ramping, drainage }: Build): string {
  if (current) return 'current';
  if (ramping !== undefined) return `ramping ${String(ramping)} %`;
  return drainage === undefined ? 'waiting' : drainage === 'drained' ? 'drained: its workers can be stopped' : drainage;
}

async function list({ deployment }: Command): Promise<void> {
  const builds = await listBuilds(deployment);
  if (builds.length === 0) say(`No worker of the deployment ${deployment.name} has come yet.`);
  for (const build of builds)
    say(`${build.buildId}  ${routeOf(build)}  since ${build.createdAt?.toISOString() ?? '?'}`);
}

async function ramp(command: Command): Promise<void> {
  const percentage = Number(command.percentage);
  if (!/^\d{1,3}(\.\d+)?$/.test(command.percentage ?? '') || percentage > 100)
    throw new Error('Say how much: --percentage 0 to 100.');
  const build = await known(command);
  await rampBuild(command.deployment, build, percentage);
  say(`${build} gets ${String(percentage)} % of new workflows.`);
}

async function promote(command: Command): Promise<void> {
  const build = await known(command);
  await promoteBuild(command.deployment, build);
  say(`${build} gets all new workflows. What is open on other builds ends there: see "versions list".`);
}

async function rollback({ deployment }: Command): Promise<void> {
  const builds = await listBuilds(deployment);
  const ramping = builds.find((build) => build.ramping !== undefined);
  if (ramping) {
    await rampBuild(deployment, '', 0);
    say(`${ramping.buildId} gets no new workflows any more.`);
    return;
  }
  const before = buildBefore(builds);
  if (!before) throw new Error('No older build was current before this one: name one with "versions promote".');
  await promoteBuild(deployment, before.buildId);
  say(`${before.buildId} gets all new workflows again. Its workers must run.`);
}

/** Only an older build: a newer one that is not current may be the very one that was rolled back. */
function buildBefore(builds: readonly Build[]): Build | undefined {
  const since = builds.find(({ current }) => current)?.createdAt ?? new Date(0);
  return builds
    .filter(({ current, createdAt, endedAt }) => !current && endedAt !== undefined && (createdAt ?? since) < since)
    .sort((one, other) => Number(other.endedAt) - Number(one.endedAt))[0];
}

async function known({ deployment, build }: Command): Promise<string> {
  if (build === undefined) throw new Error(`Say which build: --build ID\n\n${USAGE}`);
  const builds = await listBuilds(deployment);
  if (builds.some(({ buildId }) => buildId === build)) return build;
  const names = builds.map(({ buildId }) => buildId).join(', ');
  throw new Error(`There is no build ${build}: ${names === '' ? 'no worker has come yet' : names}.`);
}
