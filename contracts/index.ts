import * as agents from './agents.ts';
import * as approvals from './approvals.ts';
import * as delegations from './delegations.ts';
import * as audit from './audit.ts';
import * as codec from './codec.ts';
import * as notifications from './notifications.ts';
import * as directory from './directory.ts';
import type { Operation } from './operation.ts';
import * as policy from './policy.ts';
import * as profiles from './profiles.ts';
import * as recipes from './recipes.ts';
import * as sessions from './sessions.ts';
import * as signIn from './sign-in.ts';
import * as status from './status.ts';
import * as tasks from './tasks.ts';

/** Every operation offered to the outside. Routes, the OpenAPI document and the MCP tools are built from this list. */
export const operations: readonly Operation[] = [
  tasks.routeTask,
  tasks.listTasks,
  tasks.getTask,
  tasks.claimTask,
  tasks.reportProgress,
  tasks.completeTask,
  tasks.failTask,
  tasks.declineTask,
  tasks.handoffTask,
  tasks.cancelTask,
  tasks.retryTask,
  approvals.requestApproval,
  approvals.listApprovals,
  approvals.getApproval,
  approvals.respondToApproval,
  approvals.reviseApproval,
  approvals.withdrawApproval,
  approvals.redeemApproval,
  delegations.delegateApprovals,
  delegations.listDelegations,
  delegations.endDelegation,
  sessions.createSession,
  sessions.listSessions,
  sessions.getSession,
  sessions.updateSession,
  sessions.joinSession,
  sessions.handoffSession,
  sessions.readShard,
  sessions.writeShard,
  sessions.sessionTimeline,
  sessions.pauseDispatch,
  notifications.notify,
  notifications.listNotifications,
  notifications.ackNotification,
  notifications.createChannel,
  notifications.listChannels,
  notifications.deleteChannel,
  status.fetchStatus,
  status.readInbox,
  audit.ingestAudit,
  audit.listAudit,
  audit.getAuditReceipt,
  agents.heartbeat,
  agents.listDirectory,
  agents.whoAmI,
  profiles.getOwnProfile,
  profiles.getProfile,
  profiles.getProfileConfig,
  profiles.getGooseHints,
  profiles.getGooseIgnore,
  profiles.getLocalHints,
  profiles.getRecipes,
  recipes.listRecipes,
  recipes.getRecipe,
  recipes.runRecipe,
  recipes.pauseRecipe,
  recipes.listRecipeRuns,
  recipes.getRecipeRun,
  profiles.getProfileBundle,
  profiles.getGooseConfig,
  profiles.getMcpConfig,
  profiles.setProfile,
  profiles.listProfileVersions,
  policy.getOrganisationPolicies,
  policy.setOrganisationPolicies,
  policy.explainPolicy,
  codec.decodePayloads,
  codec.encodePayloads,
  agents.registerAgent,
  agents.listRegistry,
  agents.getAgent,
  agents.updateAgent,
  agents.drainAgent,
  agents.removeAgent,
  directory.listOrgImports,
  directory.getOrgImport,
  directory.getOrgTree,
  directory.listOrgUsers,
  directory.getOrgUser,
  directory.assignUser,
  directory.assignProfile,
  signIn.revokeSignIns,
];

/** The operations that are offered to models as MCP tools. */
export const toolOperations: readonly Operation[] = operations.filter((operation) => operation.tool !== undefined);
