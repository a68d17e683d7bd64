import type { McpServer, ServerContext } from '@modelcontextprotocol/server';

import { getApproval, requestApproval } from '../contracts/approvals.ts';
import type { ApprovalView } from '../contracts/approvals.ts';
import { getTask, routeTask } from '../contracts/tasks.ts';
import type { CallApi, CallOptions } from './api-client.ts';
import { capabilitiesOf, showsForms } from './client-capabilities.ts';
import type { Answered, Asked, PersonAsker } from './elicitation/ask.ts';
import { plainResult } from './tool.ts';
import type { ToolTurn } from './tool.ts';
import { approvalSnapshot } from './tasks/approval-snapshot.ts';
import { createdTask } from './tasks/task.ts';
import type { CreatedTask } from './tasks/task.ts';
import { taskSnapshot } from './tasks/task-snapshot.ts';

type Fields = Record<string, unknown>;

/** Whose tools, and who asks the person at the client where that is switched on. */
export interface TurnCaller {
  readonly server: McpServer;
  readonly call: CallApi;
  readonly asker: PersonAsker | undefined;
}

/** Operations whose work goes on after the answer, and can be followed by a handle. */
export const LASTING: ReadonlySet<string> = new Set([routeTask.name, requestApproval.name]);

const asks = ({ decision }: Fields): boolean => decision === undefined || decision === 'pending';

/** What send_task and request_approval do where the caller wants a handle. */
export const handleTurn = (call: CallApi): ToolTurn => ({
  after: async (output, input, _ctx, options) => {
    if (typeof output['task_id'] === 'string' && !('approval_id' in output)) {
      return sentTaskHandle(call, output['task_id'], options);
    }
    return asks(input) ? createdTask(approvalSnapshot(output as ApprovalView)) : undefined;
  },
});

/** The task was sent: whatever fails now must not look as if it was not. */
async function sentTaskHandle(call: CallApi, taskId: string, options: CallOptions): Promise<CreatedTask> {
  try {
    return createdTask(taskSnapshot(await call(getTask, { task_id: taskId }, options)));
  } catch {
    const now = new Date().toISOString();
    return createdTask({ taskId, status: 'working', createdAt: now, lastUpdatedAt: now, ttlMs: null });
  }
}

/** What request_approval does where the person at the client may be asked (MCP-3). */
export const askingTurn = ({ server, call, asker }: TurnCaller): ToolTurn => {
  const answered = async (id: string, { note }: Answered, input: Fields, options: CallOptions, last?: Fields) => {
    const approval = await call(getApproval, { approval_id: id }, options).catch(() => last);
    if (approval === undefined) return undefined;
    return plainResult(requestApproval, approval, input, note);
  };
  return {
    before: async (ctx, options) => {
      const asked = ctx.mcpReq.requestState<Asked>();
      if (asked === undefined || asker === undefined) return undefined;
      const result = await asker.resume(asked, ctx, options);
      return answered(asked.approval_id, result, {}, options);
    },
    after: async (output, input, ctx, options) => {
      const approval = output as ApprovalView;
      if (asker === undefined || !asks(input) || !mayAsk(server, ctx)) return undefined;
      const asked = await asker.ask(approval, ctx, options);
      return asked && 'note' in asked && typeof asked.note === 'string'
        ? answered(approval.id, { note: asked.note }, input, options, output)
        : (asked as Exclude<typeof asked, Answered>);
    },
  };
};

const mayAsk = (server: McpServer, ctx: ServerContext): boolean => showsForms(capabilitiesOf(server, ctx));
