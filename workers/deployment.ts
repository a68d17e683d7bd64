import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import type { WorkerDeploymentOptions } from '@temporalio/worker';

/** What decides about the build of a worker. */
export interface BuildSettings {
  readonly deploymentName: string;
  readonly buildId: string;
  /** Whether the build becomes current by itself, as on one machine where no other build runs beside it. */
  readonly promote: boolean;
}

/**
 * The worker's place among the builds. Where several builds run side by side, workflows stay on the one they began on.
 * Where a worker replaces the one before, they move to it: nobody else would go on with them.
 */
export const deploymentOf = ({ deploymentName, buildId, promote }: BuildSettings): WorkerDeploymentOptions => ({
  version: { deploymentName, buildId },
  useWorkerVersioning: true,
  defaultVersioningBehavior: promote ? 'AUTO_UPGRADE' : 'PINNED',
});

/** A build id for workflow code that was given none: equal code is the same build. */
export const buildIdOf = async (bundleFile: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(bundleFile))
    .digest('hex')
    .slice(0, 16);
