import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

/** Search attributes by name; all are keywords. */
export type SearchAttributes = Readonly<Record<string, 'Keyword'>>;

const KEYWORD = 2; // INDEXED_VALUE_TYPE_KEYWORD of Temporal's API
const USABLE_WITHIN_MS = 60_000;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;

/** Makes the namespace and the search attributes that are missing, and waits until both can be used. */
export async function ensureNamespace(
  connection: Connection,
  namespace: string,
  searchAttributes: SearchAttributes,
): Promise<void> {
  await ensureExists(connection, namespace);
  const names = Object.keys(searchAttributes);
  if (names.length === 0) return;
  await retry(`search attributes of namespace ${namespace}`, async () => {
    await addMissing(connection, namespace, names);
    await query(connection, namespace, names);
  });
}

async function ensureExists(connection: Connection, namespace: string): Promise<void> {
  const { workflowService } = connection;
  await retry(`namespace ${namespace}`, async () => {
    try {
      await workflowService.describeNamespace({ namespace });
    } catch (error) {
      if (codeOf(error) !== NOT_FOUND) throw error;
      await workflowService
        .registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('7 days') })
        .catch(unless(ALREADY_EXISTS));
      throw error;
    }
  });
}

async function addMissing(connection: Connection, namespace: string, names: readonly string[]): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = names.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  await connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])) })
    .catch(unless(ALREADY_EXISTS));
}

/** They are listed before the server's other parts know them: only a query shows that they can be used. */
async function query(connection: Connection, namespace: string, names: readonly string[]): Promise<void> {
  const filter = names.map((name) => `${name} = 'none'`).join(' and ');
  await connection.workflowService.countWorkflowExecutions({ namespace, query: filter });
}

async function retry(what: string, attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + USABLE_WITHIN_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`Temporal: the ${what} cannot be used.`, { cause: error });
      await sleep(100);
    }
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

const unless = (code: number) => (error: unknown) => {
  if (codeOf(error) !== code) throw error;
};
