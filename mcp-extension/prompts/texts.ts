/** What the user said, marked as such, so that it is not read as steps of the procedure. */
const quoted = (text: string): string => `"""\n${text.replaceAll('"""', '"')}\n"""`;

/** Steps of an expense approval. */
export const EXPENSE_APPROVAL = (given: { amount: string; purpose: string; approver_role: string }): string =>
  `Have this expense approved through Switchboard and report what was approved.
Amount: ${quoted(given.amount)}
Purpose: ${quoted(given.purpose)}

1. Call send_task with target "${given.approver_role}", type "expense_approval", a title, the purpose as description, \
amount and currency in payload, and an output_schema that requires approved_amount. Keep the task_id.
2. Call request_approval with that task_id, approvers {"roles": ["${given.approver_role}"]}, the reason, and action \
{"tool": "payments.transfer", "arguments": {"amount": …, "currency": …}} exactly as it would be paid. If your profile \
names a policy for spending, use approvers {"policy": "spend"} instead.
3. Follow it with fetch_status on the approval id. A person decides; silence is not consent. Do not ask twice.
4. When it is approved, read the action in the approval, since the approver may have changed the amount, and call \
redeem_approval with exactly that action before anything is paid. Without a successful redemption nothing is paid.
5. Tell me the approved amount, who approved it, and the ids of task and approval.`;

/** Steps of a legal review in one session. */
export const LEGAL_REVIEW = (given: { document: string; question: string }): string =>
  `Have legal review this through Switchboard.
Document: ${quoted(given.document)}
Question: ${quoted(given.question)}

1. Call open_session with a title and participants ["legal", "manager"], then update_session with event "activate".
2. Call send_task with target "legal", the session_id, type "contract_review" and the question as description. Put \
what legal needs to know into payload; personal values are masked on the way.
3. Follow the task with fetch_status. Findings for all are in the session's shared context: read_context, name \
"findings". Some parts are for legal alone; do not ask for them.
4. If the outcome binds the company, call request_approval with the session_id and approvers {"roles": ["manager"]}. \
When changes are requested, revise_approval once they are made.
5. When it is decided, call update_session with event "complete", and tell me the outcome with the ids.`;

/** Steps of work that two departments share. */
export const DEPARTMENT_WORK = (given: { goal: string; first_role: string; second_role: string }): string =>
  `Bring this about together with two departments through Switchboard.
Goal: ${quoted(given.goal)}

1. Call open_session with a title and participants ["${given.first_role}", "${given.second_role}"], then \
update_session with event "activate".
2. Split the goal. Call send_task once with target "${given.first_role}" and once with target "${given.second_role}", \
each with the session_id, a type, a description of that part alone, and sla {"complete_within": "1d"}.
3. Follow both with fetch_status. When a task is declined or fails, say why before you call retry_task. To give your \
own part to somebody else, use handoff_task with the context that the next one needs.
4. Where both results have to be agreed to, call request_approval with the session_id and approvers \
{"roles": ["manager"], "quorum": 2}.
5. When both tasks are completed, call update_session with event "complete", and tell me the results with the ids.`;
