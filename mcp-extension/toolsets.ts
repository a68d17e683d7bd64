import { toolOperations } from '../contracts/index.ts';
import type { Operation } from '../contracts/operation.ts';

/** Tools by what an agent does with them; a tool may be in several sets. */
export const TOOLSETS = {
  send: ['send_task', 'request_approval', 'notify', 'fetch_status', 'list_tasks', 'cancel_task', 'retry_task'],
  receive: [
    'list_tasks',
    'claim_task',
    'report_progress',
    'complete_task',
    'fail_task',
    'decline_task',
    'handoff_task',
    'notify',
    'fetch_status',
  ],
  approve: [
    'request_approval',
    'list_approvals',
    'decide_approval',
    'revise_approval',
    'redeem_approval',
    'fetch_status',
  ],
  session: [
    'open_session',
    'update_session',
    'join_session',
    'handoff_session',
    'read_context',
    'write_context',
    'fetch_status',
  ],
} as const satisfies Record<string, readonly string[]>;

/** What a server may be limited to: names of tools, names of sets, as comma-separated lists. */
export interface ToolChoice {
  readonly tools?: string | undefined;
  readonly toolsets?: string | undefined;
}

/** The operations offered as tools: all, or those that the lists name. Throws where a name does not exist. */
export function chooseTools({ tools, toolsets }: ToolChoice): readonly Operation[] {
  const names = [...listOf(tools), ...listOf(toolsets).flatMap(toolsOfSet)];
  if (names.length === 0) return toolOperations;
  const all = toolOperations.map(({ name }) => name);
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`No such tool: ${unknown.join(', ')}. There are: ${all.join(', ')}.`);
  return toolOperations.filter(({ name }) => names.includes(name));
}

function toolsOfSet(set: string): readonly string[] {
  if (Object.hasOwn(TOOLSETS, set)) return TOOLSETS[set as keyof typeof TOOLSETS];
  throw new Error(`No such toolset: ${set}. There are: ${Object.keys(TOOLSETS).join(', ')}.`);
}

const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
