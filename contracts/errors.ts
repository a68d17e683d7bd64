/** What a client learns about one kind of failure. */
export interface ErrorKind {
  readonly status: number;
  readonly title: string;
  /** What the caller can do next; also the advice that an agent's model reads. */
  readonly advice: string;
  readonly retryable?: boolean;
}

const kinds = <K extends string>(table: Record<K, ErrorKind>): Readonly<Record<K, ErrorKind>> => table;

/** Every failure a caller can meet. Codes are stable: clients and agents' prompts depend on them. */
export const ERRORS = kinds({
  malformed_body: { status: 400, title: 'The body cannot be read', advice: 'Send one JSON object encoded as UTF-8.' },
  invalid_input: {
    status: 400,
    title: 'The input is not valid',
    advice: 'Correct the fields named in errors and send it again.',
  },
  too_deep: { status: 400, title: 'The JSON is nested too deeply', advice: 'Send JSON nested at most 64 levels deep.' },
  invalid_org_chart: {
    status: 400,
    title: 'The org chart has faults',
    advice: 'Nothing was changed. Correct the rows and columns named in faults and send the file again.',
  },
  unauthenticated: {
    status: 401,
    title: 'The caller is not known',
    advice: 'Sign in, and send a valid access token: Authorization: Bearer <token>.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The access token does not cover this',
    advice: 'Have a token issued with the scope that this answer names.',
  },
  forbidden: { status: 403, title: 'Policy does not allow this', advice: 'Ask an administrator, or somebody who may.' },
  not_an_approver: {
    status: 403,
    title: 'You are not an approver here',
    advice: 'Only the approvers named in the request, or their delegates, decide.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    advice: 'Check the id; it may belong to another organisation.',
  },
  method_not_allowed: { status: 405, title: 'The path has no such method', advice: 'See the Allow header and /docs.' },
  illegal_transition: {
    status: 409,
    title: 'Not possible in this state',
    advice: 'See state and allowed in this answer.',
  },
  approval_already_decided: {
    status: 409,
    title: 'The approval is already decided',
    advice: 'Read it; nothing is left to decide.',
  },
  already_redeemed: {
    status: 409,
    title: 'The approval was already redeemed',
    advice: 'An approval lets one action run once; request a new one.',
  },
  not_approved: {
    status: 409,
    title: 'The approval does not allow this action',
    advice: 'Wait for the approval, or request a new one.',
  },
  too_many_claims: {
    status: 409,
    title: 'You hold too many tasks',
    advice: 'Complete, fail or hand off tasks that you hold, then claim again; leave this one to others meanwhile.',
  },
  ambiguous_approval: { status: 409, title: 'Several approvals wait for you', advice: 'Name one by approval_id.' },
  version_conflict: {
    status: 409,
    title: 'Somebody else changed it',
    advice: 'Read it again and repeat the change on the new version.',
  },
  import_running: {
    status: 409,
    title: 'Another change of the directory is under way',
    advice: 'Wait until it is complete, then send the file again.',
    retryable: true,
  },
  last_administrator: {
    status: 409,
    title: 'Nobody would be left to administer the organisation',
    advice: 'Nothing was changed. Make somebody else an administrator first.',
  },
  directory_conflict: {
    status: 409,
    title: 'It does not go with what is in the directory',
    advice: 'Nothing was changed. See detail, and send what does not stand against somebody else.',
  },
  organisation_erased: {
    status: 410,
    title: 'The organisation was erased',
    advice: 'Nothing of it can be read, and nothing new begins.',
  },
  approval_expired: { status: 410, title: 'The approval has expired', advice: 'Request a new approval.' },
  precondition_failed: {
    status: 412,
    title: 'The version is not the one you read',
    advice: 'Read it again and send its ETag in If-Match.',
  },
  payload_too_large: {
    status: 413,
    title: 'The body is too large',
    advice: 'Send at most 1 MiB, and at most 256 KiB of payload.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body is not JSON',
    advice: 'Send Content-Type: application/json; charset=utf-8, not compressed.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key belongs to another request',
    advice: 'Use a new Idempotency-Key for a new request.',
  },
  action_mismatch: {
    status: 422,
    title: 'The action is not the one that was approved',
    advice: 'Run what was approved, or request approval of the new action.',
  },
  no_eligible_approver: {
    status: 422,
    title: 'Nobody could approve this',
    advice: 'Name approvers other than the requester.',
  },
  unknown_target: {
    status: 422,
    title: 'The target does not exist',
    advice: 'Send to a role, an agent id or a user id of your organisation.',
  },
  output_mismatch: {
    status: 422,
    title: 'The result does not fit the output schema',
    advice: 'Correct the result so that it fits output_schema and complete again.',
  },
  invalid_edits: {
    status: 422,
    title: 'The edits are not allowed',
    advice: 'Edit only what the editable schema of the approval allows.',
  },
  invalid_batch: {
    status: 422,
    title: 'A row of the batch is not valid',
    advice: 'Nothing was stored. Correct the row that is named and send the batch again.',
  },
  too_many_deactivations: {
    status: 422,
    title: 'Very many people would be deactivated',
    advice: 'Nothing was changed. Look at a dry run; send it again with confirm_deactivations=true if it is meant.',
  },
  tree_too_large: {
    status: 422,
    title: 'The tree of tasks is too deep or too wide',
    advice: 'Send it without parent_task_id, or below another task; see most in this answer.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    advice: 'Wait as Retry-After says, then repeat with the same Idempotency-Key; ask less often from then on.',
    retryable: true,
  },
  internal: { status: 500, title: 'Something failed here', advice: 'Report the trace_id to your operator.' },
  unavailable: {
    status: 503,
    title: 'A service that this needs is not there',
    advice: 'Repeat with the same Idempotency-Key after Retry-After seconds.',
    retryable: true,
  },
});
export type ErrorCode = keyof typeof ERRORS;

/** Where an input is wrong: a JSON Pointer (RFC 6901) and what is wrong there. */
export interface FieldFault {
  readonly pointer: string;
  readonly detail: string;
}

/** What a refusal says beyond its code. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  /** The state that refuses and what it would allow (409), or other facts the caller needs. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The problem document of RFC 9457 that every failure is answered with. */
export interface Problem extends Record<string, unknown> {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly advice: string;
  readonly trace_id: string;
  readonly errors?: readonly FieldFault[];
}

/** True for a text that is one of our codes. */
export const isErrorCode = (text: unknown): text is ErrorCode => typeof text === 'string' && text in ERRORS;
