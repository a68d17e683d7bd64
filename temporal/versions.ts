import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@temporalio/client';

/** Where the builds of a deployment are kept. */
export interface Deployment {
  readonly connection: Pick<Client['connection'], 'workflowService'>;
  readonly namespace: string;
  /** Name of the deployment: `switchboard`. */
  readonly name: string;
}

/** One build of the workers, as Temporal knows it. */
export interface Build {
  readonly buildId: string;
  /** Gets new workflows: all that do not go to the ramping one. */
  readonly current: boolean;
  /** Gets so many percent of new workflows. */
  readonly ramping: number | undefined;
  /** `draining` while workflows that began on it are open, `drained` once it can be stopped. */
  readonly drainage: 'draining' | 'drained' | undefined;
  readonly createdAt: Date | undefined;
  /** When it last stopped getting new workflows; none where it never got any. */
  readonly endedAt: Date | undefined;
}

const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const KNOWN_WITHIN_MS = 10_000;
const IDENTITY = 'switchboard';

const DRAINAGE = { 1: 'draining', 2: 'drained' } as const;
const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown }).code;
const dateOf = (
  time: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined,
): Date | undefined =>
  time == null || Number(time.seconds) === 0
    ? undefined
    : new Date(Number(time.seconds) * 1000 + Math.floor((time.nanos ?? 0) / 1_000_000));

/** The builds that Temporal knows, the newest first; none before a first worker came. */
export async function listBuilds({ connection, namespace, name }: Deployment): Promise<Build[]> {
  const described = await connection.workflowService
    .describeWorkerDeployment({ namespace, deploymentName: name })
    .catch((error: unknown) => {
      if (codeOf(error) === NOT_FOUND) return undefined;
      throw error;
    });
  const info = described?.workerDeploymentInfo;
  const routing = info?.routingConfig;
  const [current, ramping] = [routing?.currentDeploymentVersion?.buildId, routing?.rampingDeploymentVersion?.buildId];
  const builds = (info?.versionSummaries ?? []).map((summary): Build => {
    const buildId = summary.deploymentVersion?.buildId ?? '';
    const drainage = summary.drainageInfo?.status ?? summary.drainageStatus;
    return {
      buildId,
      current: buildId === current,
      ramping: buildId === ramping ? (routing?.rampingVersionPercentage ?? 0) : undefined,
      drainage: DRAINAGE[drainage as 1 | 2],
      createdAt: dateOf(summary.createTime),
      endedAt: dateOf(summary.lastCurrentTime ?? summary.lastDeactivationTime),
    };
  });
  return builds.sort((one, other) => Number(other.createdAt ?? 0) - Number(one.createdAt ?? 0));
}

/** Makes a build the current one: new workflows, and those that move between builds, go to it. */
export const promoteBuild = (
  { connection, namespace, name }: Deployment,
  buildId: string,
  withinMs = KNOWN_WITHIN_MS,
): Promise<void> =>
  whenKnown(
    () =>
      connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName: name,
        buildId,
        identity: IDENTITY,
      }),
    withinMs,
  );

/** Sends so many percent of new workflows to a build; an empty build ends the ramp. */
export const rampBuild = (
  { connection, namespace, name }: Deployment,
  buildId: string,
  percentage: number,
  withinMs = KNOWN_WITHIN_MS,
): Promise<void> =>
  whenKnown(
    () =>
      connection.workflowService.setWorkerDeploymentRampingVersion({
        namespace,
        deploymentName: name,
        buildId,
        percentage,
        identity: IDENTITY,
      }),
    withinMs,
  );

/** Repeats a change until Temporal has heard of the build's workers, which is when they first ask for work. */
async function whenKnown(change: () => Promise<unknown>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      await change();
      return;
    } catch (error) {
      const early = codeOf(error) === NOT_FOUND || codeOf(error) === FAILED_PRECONDITION;
      if (!early || Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
