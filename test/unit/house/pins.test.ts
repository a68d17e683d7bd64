import test from 'ava';

import * as approvals from '../../../contracts/approvals.ts';
import * as deliveries from '../../../contracts/deliveries.ts';
import * as directory from '../../../contracts/directory-workflow.ts';
import { ERRORS } from '../../../contracts/errors.ts';
import { ID_PREFIXES } from '../../../contracts/ids.ts';
import { operations, toolOperations } from '../../../contracts/index.ts';
import { ENTITY_TYPES, ROLES } from '../../../contracts/principal.ts';
import { deliveryQueue, ORCHESTRATOR_QUEUE } from '../../../contracts/queues.ts';
import { Topic } from '../../../contracts/record.ts';
import { SEARCH_ATTRIBUTES } from '../../../contracts/search-attributes.ts';
import * as sessions from '../../../contracts/sessions.ts';
import * as tasks from '../../../contracts/tasks.ts';

// Frozen literals: running histories, generated clients, dashboards and the prompts of agents depend on these names.
// A name may be added here; changing or removing one breaks somebody, and needs an entry in CHANGELOG.md.

test('X-6: operations: method, path, name', (t) => {
  t.deepEqual(
    operations.map((operation) => `${operation.method} ${operation.path} ${operation.name}`),
    [
      'post /tasks/route send_task',
      'get /tasks list_tasks',
      'get /tasks/{task_id} get_task',
      'post /tasks/{task_id}/claim claim_task',
      'post /tasks/{task_id}/progress report_progress',
      'post /tasks/{task_id}/complete complete_task',
      'post /tasks/{task_id}/fail fail_task',
      'post /tasks/{task_id}/decline decline_task',
      'post /tasks/{task_id}/handoff handoff_task',
      'post /tasks/{task_id}/cancel cancel_task',
      'post /tasks/{task_id}/retry retry_task',
      'post /approvals request_approval',
      'get /approvals list_approvals',
      'get /approvals/{approval_id} get_approval',
      'post /approvals/{approval_id}/respond decide_approval',
      'post /approvals/{approval_id}/revise revise_approval',
      'post /approvals/{approval_id}/withdraw withdraw_approval',
      'post /approvals/{approval_id}/redeem redeem_approval',
      'post /delegations delegate_approvals',
      'get /delegations list_delegations',
      'delete /delegations/{delegation_id} end_delegation',
      'post /sessions open_session',
      'get /sessions list_sessions',
      'get /sessions/{session_id} get_session',
      'put /sessions/{session_id}/events update_session',
      'post /sessions/{session_id}/participants join_session',
      'post /sessions/{session_id}/handoff handoff_session',
      'get /sessions/{session_id}/shards/{name} read_context',
      'put /sessions/{session_id}/shards/{name} write_context',
      'get /sessions/{session_id}/timeline get_session_timeline',
      'put /pauses/{scope}/{id} pause_dispatch',
      'post /notifications notify',
      'get /notifications list_notifications',
      'post /notifications/{notification_id}/ack ack_notification',
      'post /channels create_channel',
      'get /channels list_channels',
      'delete /channels/{channel_id} delete_channel',
      'get /status/{task_id} fetch_status',
      'get /inbox read_inbox',
      'post /audit/ingest ingest_audit',
      'get /audit list_audit',
      'get /audit/receipts/{id} get_audit_receipt',
      'post /agents/me/heartbeat heartbeat',
      'get /directory list_directory',
      'get /me who_am_i',
      'get /profiles/me get_own_profile',
      'get /profiles/{role} get_profile',
      'get /profiles/{role}/config get_profile_config',
      'get /profiles/{role}/goosehints get_goosehints',
      'get /profiles/{role}/gooseignore get_gooseignore',
      'get /profiles/{role}/local-hints get_local_hints',
      'get /profiles/{role}/recipes get_recipes',
      'get /recipes list_recipes',
      'get /recipes/{role}/{name} get_recipe',
      'post /recipes/{role}/{name}/run run_recipe',
      'put /recipes/{role}/{name}/pause pause_recipe',
      'get /recipes/{role}/{name}/runs list_recipe_runs',
      'get /recipe-runs/{run_id} get_recipe_run',
      'get /profiles/{role}/bundle get_profile_bundle',
      'get /profiles/{role}/goose get_goose_config',
      'get /profiles/{role}/mcp get_mcp_config',
      'put /admin/profiles/{role} set_profile',
      'get /admin/profiles/{role}/versions list_profile_versions',
      'get /policy/organisation get_organisation_policies',
      'put /policy/organisation set_organisation_policies',
      'post /policy/explain explain_policy',
      'post /codec/decode decode_payloads',
      'post /codec/encode encode_payloads',
      'post /agents register_agent',
      'get /agents list_agents',
      'get /agents/{id} get_agent',
      'put /agents/{id} update_agent',
      'post /agents/{id}/drain drain_agent',
      'delete /agents/{id} remove_agent',
      'get /admin/org/imports list_org_imports',
      'get /admin/org/imports/{import_id} get_org_import',
      'get /admin/org/tree get_org_tree',
      'get /admin/users list_users',
      'get /admin/users/{id} get_user',
      'put /admin/users/{id} assign_user',
      'post /admin/users/{user}/assign-profile assign_profile',
      'post /auth/sessions/revoke revoke_sign_ins',
    ],
  );
});

test('MCP-1: tools', (t) => {
  t.deepEqual(toolOperations.map((operation) => operation.name).sort(), [
    'cancel_task',
    'claim_task',
    'complete_task',
    'decide_approval',
    'decline_task',
    'fail_task',
    'fetch_status',
    'handoff_session',
    'handoff_task',
    'join_session',
    'list_approvals',
    'list_tasks',
    'notify',
    'open_session',
    'read_context',
    'redeem_approval',
    'report_progress',
    'request_approval',
    'retry_task',
    'revise_approval',
    'send_task',
    'update_session',
    'write_context',
  ]);
});

test('X-1: error codes and their status', (t) => {
  t.deepEqual(Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status])), {
    malformed_body: 400,
    invalid_input: 400,
    too_deep: 400,
    invalid_org_chart: 400,
    unauthenticated: 401,
    insufficient_scope: 403,
    forbidden: 403,
    not_an_approver: 403,
    not_found: 404,
    method_not_allowed: 405,
    illegal_transition: 409,
    approval_already_decided: 409,
    already_redeemed: 409,
    not_approved: 409,
    too_many_claims: 409,
    ambiguous_approval: 409,
    version_conflict: 409,
    import_running: 409,
    last_administrator: 409,
    directory_conflict: 409,
    approval_expired: 410,
    organisation_erased: 410,
    precondition_failed: 412,
    payload_too_large: 413,
    unsupported_media_type: 415,
    idempotency_key_reused: 422,
    action_mismatch: 422,
    no_eligible_approver: 422,
    unknown_target: 422,
    output_mismatch: 422,
    invalid_edits: 422,
    invalid_batch: 422,
    tree_too_large: 422,
    too_many_deactivations: 422,
    rate_limited: 429,
    internal: 500,
    unavailable: 503,
  });
});

test('OPS-3: workflow types and ids', (t) => {
  t.deepEqual(
    {
      task: [tasks.TASK_WORKFLOW, tasks.taskWorkflowId('org_1', 'task_1')],
      approval: [approvals.APPROVAL_WORKFLOW, approvals.approvalWorkflowId('org_1', 'appr_1')],
      session: [sessions.SESSION_WORKFLOW, sessions.sessionWorkflowId('org_1', 'sess_1')],
      fanout: [
        sessions.FANOUT_WORKFLOW,
        sessions.fanoutWorkflowId({ organisation_id: 'org_1', scope: 'role', id: 'hr', message: 'pause' }, 'r1'),
      ],
      delivery: [
        deliveries.DELIVERY_WORKFLOW,
        deliveries.deliveryWorkflowId({ organisation_id: 'org_1', delivery_id: 'dlvr_1' }),
      ],
      reconcile: [deliveries.RECONCILE_WORKFLOW, deliveries.RECONCILE_SCHEDULE],
      directoryChange: [directory.DIRECTORY_CHANGE_WORKFLOW, directory.directoryChangeWorkflowId('org_1')],
      directorySweep: [directory.DIRECTORY_SWEEP_WORKFLOW, directory.DIRECTORY_SWEEP_SCHEDULE],
    },
    {
      task: ['task', 'task:org_1:task_1'],
      approval: ['approval', 'approval:org_1:appr_1'],
      session: ['session', 'session:org_1:sess_1'],
      fanout: ['fanout', 'fanout:org_1:role:hr:r1'],
      delivery: ['delivery', 'delivery:org_1:dlvr_1'],
      reconcile: ['reconcile', 'switchboard-reconcile'],
      directoryChange: ['directoryChange', 'directory-change:org_1'],
      directorySweep: ['directorySweep', 'switchboard-directory-sweep'],
    },
  );
});

test('OPS-3: updates, queries and signals', (t) => {
  const namesIn = (contract: object): string[] =>
    Object.entries(contract)
      .filter(([name]) => /(Update|Query|Signal)$/.test(name))
      .map(([name, message]) => `${name}: ${(message as { name: string }).name}`)
      .sort();
  t.deepEqual(namesIn(tasks), [
    'admissionUpdate: admission',
    'agentAvailableSignal: agentAvailable',
    'cancelSignal: cancelRequested',
    'changeUpdate: change',
    'pausedSignal: paused',
    'reassignSignal: reassign',
    'taskQuery: state',
  ]);
  t.deepEqual(namesIn(approvals), [
    'approvalQuery: state',
    'decideSignal: decision',
    'decideUpdate: decide',
    'openedUpdate: opened',
    'redeemUpdate: redeem',
    'replaceApproverSignal: replaceApprover',
    'reviseUpdate: revise',
    'withdrawSignal: withdrawRequested',
    'withdrawUpdate: withdraw',
  ]);
  t.deepEqual(namesIn(sessions), [
    'sessionCancelSignal: cancelRequested',
    'sessionChangeUpdate: change',
    'sessionOpenedUpdate: opened',
    'sessionQuery: state',
  ]);
});

test('OPS-3: search attributes and task queues', (t) => {
  t.deepEqual(
    Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => `${name} ${type}`),
    [
      'SwitchboardOrganisation KEYWORD',
      'SwitchboardKind KEYWORD',
      'SwitchboardStatus KEYWORD',
      'SwitchboardRole KEYWORD',
      'SwitchboardAgent KEYWORD',
      'SwitchboardSession KEYWORD',
    ],
  );
  t.deepEqual([ORCHESTRATOR_QUEUE, deliveryQueue(ORCHESTRATOR_QUEUE)], ['switchboard', 'switchboard-delivery']);
});

test('X-5: prefixes of ids', (t) => {
  t.deepEqual(
    { ...ID_PREFIXES },
    {
      organisation: 'org',
      user: 'user',
      agent: 'agent',
      task: 'task',
      approval: 'appr',
      session: 'sess',
      run: 'run',
      notification: 'note',
      channel: 'chan',
      delegation: 'dele',
      audit: 'evt',
      content: 'cont',
      delivery: 'dlvr',
      import: 'imp',
    },
  );
});

test('X-7: topics of the stream, roles, kinds of personal value', (t) => {
  t.deepEqual([...Topic.options], ['tasks', 'approvals', 'sessions', 'runs', 'notifications', 'profiles', 'directory']);
  t.deepEqual([...ROLES], ['analyst', 'developer', 'finance', 'hr', 'legal', 'manager', 'marketing', 'support']);
  t.deepEqual([...ENTITY_TYPES], ['email', 'phone', 'card', 'iban', 'ssn']);
});

test('SESS-1, TASK-4: states and what they allow', (t) => {
  t.deepEqual(
    sessions.SessionStatus.options.map((status) => `${status}: ${sessions.allowedEvents(status).join(' ')}`),
    [
      'pending: activate cancel fail',
      'active: pause complete fail cancel',
      'paused: resume complete fail cancel',
      'completed: ',
      'failed: ',
      'cancelled: ',
      'expired: ',
    ],
  );
  t.deepEqual(tasks.TaskStatus.options.map((status) => `${status}: ${tasks.allowedVerbs(status).join(' ')}`).sort(), [
    'active: progress complete fail handoff cancel',
    'cancelled: ',
    'completed: ',
    'declined: retry handoff cancel',
    'failed: retry cancel',
    'pending: claim decline handoff cancel',
    'stalled: retry handoff cancel',
  ]);
});
