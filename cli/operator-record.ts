import os from 'node:os';

import type { Json } from '../contracts/json.ts';
import { appendAudit } from '../db/audit.ts';
import type { Queryable } from '../db/pool.ts';
import { newId } from '../platform/ids.ts';

/** Something that an operator did to an organisation from the command line. */
export interface OperatorEvent {
  /** e.g. `identity.ended`. */
  readonly action: string;
  readonly kind: 'identity' | 'organisation';
  /** Whom or what it was done to. */
  readonly id: string;
  readonly details?: Record<string, Json>;
}

/** The account on the machine under which a command runs. */
export const operatorAccount = (): string => os.userInfo().username;

/** Puts it on record, with the account of the operator; in the transaction that does it. */
export const recordOperator = (sql: Queryable, { action, kind, id, details }: OperatorEvent): Promise<string[]> =>
  appendAudit(sql, [
    {
      at: new Date().toISOString(),
      actor_kind: 'service',
      actor_id: 'switchboard',
      actor_role: null,
      on_behalf_of: null,
      action,
      subject_kind: kind,
      subject_id: id,
      task_id: null,
      session_id: null,
      outcome: 'ok',
      policies: [],
      privacy: {},
      details: { ...details, operator: operatorAccount() },
      source: 'switchboard',
      category: kind,
      trace_id: newId('content').replace('cont_', 'operator-'),
      dedupe_key: null,
    },
  ]);
