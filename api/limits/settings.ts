import type { Config } from '../../platform/config.ts';

/** How much is allowed; see docs/operations.md, "Limits". */
export interface LimitSettings {
  /** Requests of one principal to one API process. */
  readonly requestsPerSecond: number;
  /** Requests beyond that in ten seconds. */
  readonly requestsBurst: number;
  /** Tasks, approvals and sessions that one principal makes, each counted by itself. */
  readonly creationsPerMinute: number;
  readonly notificationsPerMinute: number;
  readonly notificationsToOnePerMinute: number;
  /** What a whole organisation may do, in times of what one principal may. */
  readonly organisationFactor: number;
  /** Streams, and as many long polls, that one principal holds open at one API process. */
  readonly connections: number;
  readonly claims: number;
  readonly taskDepth: number;
  readonly taskChildren: number;
  /** How often refusals are put on record. */
  readonly reportEveryMs: number;
}

const REPORT_EVERY_MS = 60_000;

/** The limits that the environment sets. */
export const limitSettings = (config: Config): LimitSettings => ({
  requestsPerSecond: config.limitRequestsPerSecond,
  requestsBurst: config.limitRequestsBurst,
  creationsPerMinute: config.limitCreationsPerMinute,
  notificationsPerMinute: config.limitNotificationsPerMinute,
  notificationsToOnePerMinute: config.limitNotificationsToOnePerMinute,
  organisationFactor: config.limitOrganisationFactor,
  connections: config.limitConnections,
  claims: config.limitClaims,
  taskDepth: config.limitTaskDepth,
  taskChildren: config.limitTaskChildren,
  reportEveryMs: REPORT_EVERY_MS,
});
