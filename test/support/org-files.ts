import type { TestStack } from './stack.ts';
import { rest } from './rest.ts';
import type { Answer } from './rest.ts';

/** The columns that every org chart has. */
export const CHART_HEADER = 'user_id,reports_to_id,name,role,email,department';

/** An import's answer, or its refusal. */
export interface Imported {
  readonly import_id: string | null;
  readonly status: string;
  readonly code: string;
  readonly detail: string;
  readonly users_created: number;
  readonly users_updated: number;
  readonly users_deactivated: number;
  readonly users_reactivated: number;
  readonly users_unchanged: number;
  readonly refusal: string | null;
  readonly fault_count: number;
  readonly faults: readonly { readonly row: number; readonly column: string | null; readonly message: string }[];
  readonly diff: readonly {
    readonly user_id: string;
    readonly change: string;
    readonly before: Record<string, unknown> | null;
    readonly after: Record<string, unknown>;
  }[];
  readonly diff_omitted: number;
  readonly digest: string;
  readonly filename: string;
}

/** Sends an org chart as an administrator's browser does, in a form. */
export function importForm(
  apiUrl: string,
  key: string,
  csv: string | Uint8Array<ArrayBuffer>,
  {
    query = '',
    fields = {},
    headers = {},
  }: {
    readonly query?: string;
    readonly fields?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer<Imported>> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([csv], { type: 'text/csv' }), 'people.csv');
  return fetch(`${apiUrl}/admin/org/import${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, ...headers },
    body: form,
  }).then(async (response) => ({
    status: response.status,
    body: (await response.json()) as Imported,
    headers: response.headers,
  }));
}

/** Sends an org chart as the body itself. */
export const importBody = (
  apiUrl: string,
  key: string,
  csv: string | Uint8Array,
  query = '',
): Promise<Answer<Imported>> =>
  rest<Imported>(apiUrl, key, 'POST', `/admin/org/import${query}`, {
    body: csv,
    headers: { 'content-type': 'text/csv' },
  });

/** The organisation's chart, as it would be exported. */
export const exportedChart = async ({ apiUrl }: Pick<TestStack, 'apiUrl'>, key: string): Promise<string> =>
  (await rest<string>(apiUrl, key, 'GET', '/admin/org/export')).body;
