import { rest } from './rest.ts';
import type { Answer } from './rest.ts';
import type { TestStack } from './stack.ts';

/** What tests read of answers: the fields of every kind of answer, as if all of them were there. */
export interface Body {
  readonly id: string;
  readonly task_id: string;
  readonly approval_id: string;
  readonly session_id: string;
  readonly notification_id: string;
  readonly status: string;
  readonly code: string;
  readonly detail: string;
  readonly state: string;
  readonly trace_id: string;
  readonly allowed: readonly string[];
  readonly assignee: string | null;
  readonly digest: string;
  readonly version: number;
  readonly cursor: string;
  readonly next_cursor: string | null;
  readonly votes: readonly Record<string, unknown>[];
  readonly waiting_for: readonly string[];
  readonly timeline: readonly Record<string, unknown>[];
  readonly entries: readonly Record<string, unknown>[];
  readonly events: readonly Record<string, unknown>[];
  readonly tasks: readonly Body[];
  readonly approvals: readonly Body[];
  readonly sessions: readonly Body[];
  readonly notifications: readonly Body[];
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly [field: string]: unknown;
}

/** One more thing to send than a body. */
export type Headers = Readonly<Record<string, string>>;

/** Somebody who calls the API. */
export interface Caller {
  readonly name: string;
  readonly id: string;
  readonly key: string;
  get<T = Body>(path: string, headers?: Headers): Promise<Answer<T>>;
  post<T = Body>(path: string, body?: unknown, headers?: Headers): Promise<Answer<T>>;
  put<T = Body>(path: string, body?: unknown, headers?: Headers): Promise<Answer<T>>;
  delete<T = Body>(path: string, headers?: Headers): Promise<Answer<T>>;
}

/** A caller with a key. */
export function callerWith(apiUrl: string, { name, id, key }: Pick<Caller, 'name' | 'id' | 'key'>): Caller {
  return {
    name,
    id,
    key,
    get: (path, headers = {}) => rest(apiUrl, key, 'GET', path, { headers }),
    post: (path, body = {}, headers = {}) => rest(apiUrl, key, 'POST', path, { body, headers }),
    put: (path, body = {}, headers = {}) => rest(apiUrl, key, 'PUT', path, { body, headers }),
    delete: (path, headers = {}) => rest(apiUrl, key, 'DELETE', path, { headers }),
  };
}

/** Somebody of the demo organisation by name, e.g. `finance-agent` or `Helena Voss`; of the other one where told. */
export function callerOf(stack: TestStack, name: string, of: 'own' | 'other' = 'own'): Caller {
  const { keys, ids } = of === 'own' ? stack : stack.other;
  const [key, id] = [keys[name], ids[name]];
  if (key === undefined || id === undefined) throw new Error(`The demo organisation has no ${name}.`);
  return callerWith(stack.apiUrl, { name, id, key });
}
