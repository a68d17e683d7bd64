import { randomUUID } from 'node:crypto';

import { inputRequired, MissingRequiredClientCapabilityError } from '@modelcontextprotocol/server';
import type { CallToolResult, InputRequests, McpServer, ServerContext } from '@modelcontextprotocol/server';

import { knowsTasks, TASKS_EXTENSION } from '../../../mcp-extension/client-capabilities.ts';
import type { ServedTool, ToolOutcome } from '../../../mcp-extension/serve-tools.ts';
import type { TaskBackend } from '../../../mcp-extension/tasks/serve-tasks.ts';
import { createdTask } from '../../../mcp-extension/tasks/task.ts';
import type { CreatedTask, TaskSnapshot } from '../../../mcp-extension/tasks/task.ts';
import { filledIn, question } from './input-tools.ts';
import { fixture, pause, text } from './tool.ts';

/** Tasks in memory, as the suite's fixtures need them; the methods of the protocol are the product's. */
export class FixtureTasks implements TaskBackend {
  private readonly tasks = new Map<string, TaskSnapshot>();

  start(work: Promise<Partial<TaskSnapshot>> | InputRequests): CreatedTask {
    const at = new Date().toISOString();
    const task: TaskSnapshot = {
      taskId: randomUUID(),
      status: 'working',
      createdAt: at,
      lastUpdatedAt: at,
      ttlMs: 600_000,
      pollIntervalMs: 100,
    };
    this.tasks.set(task.taskId, task);
    if (work instanceof Promise) void work.then((end) => this.change(task.taskId, end));
    else this.change(task.taskId, { status: 'input_required', inputRequests: work });
    return createdTask(task);
  }

  get(taskId: string): Promise<TaskSnapshot | undefined> {
    return Promise.resolve(this.tasks.get(taskId));
  }

  update(taskId: string, responses: Readonly<Record<string, unknown>>): Promise<true | undefined> {
    const task = this.tasks.get(taskId);
    if (!task) return Promise.resolve(undefined);
    const open = Object.entries(task.inputRequests ?? {}).filter(([key]) => !Object.hasOwn(responses, key));
    if (task.status !== 'input_required') return Promise.resolve(true);
    if (open.length > 0) this.change(taskId, { inputRequests: Object.fromEntries(open) });
    else this.change(taskId, { status: 'completed', inputRequests: undefined, result: text('Answered.') });
    return Promise.resolve(true);
  }

  cancel(taskId: string): Promise<true | undefined> {
    if (!this.tasks.has(taskId)) return Promise.resolve(undefined);
    this.change(taskId, { status: 'cancelled', inputRequests: undefined });
    return Promise.resolve(true);
  }

  private change(taskId: string, change: { [K in keyof TaskSnapshot]?: TaskSnapshot[K] | undefined }): void {
    const task = this.tasks.get(taskId);
    if (!task || !['working', 'input_required'].includes(task.status)) return;
    const entries = Object.entries({ ...task, ...change, lastUpdatedAt: new Date().toISOString() });
    this.tasks.set(taskId, Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as TaskSnapshot);
  }
}

const later = async (milliseconds: number, result: CallToolResult): Promise<Partial<TaskSnapshot>> => {
  await pause(milliseconds);
  return { status: 'completed', result };
};

/** Fixtures of the task extension (SEP-2663). */
export function taskTools(server: McpServer, tasks: FixtureTasks): readonly ServedTool[] {
  const required = (ctx: ServerContext, make: () => ToolOutcome): ToolOutcome => {
    if (knowsTasks(server, ctx)) return make();
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } });
  };
  return [
    fixture('greet', ({ name }) => text(`Hello, ${String(name)}!`), { name: { type: 'string' } }),
    fixture(
      'slow_compute',
      async ({ seconds, label }, ctx) => {
        const result = text(`Computed ${String(label)}.`);
        const milliseconds = Number(seconds) * 1000;
        if (knowsTasks(server, ctx) && milliseconds > 0) return tasks.start(later(milliseconds, result));
        await pause(milliseconds);
        return result;
      },
      { seconds: { type: 'number' }, label: { type: 'string' } },
    ),
    fixture('failing_job', (_args, ctx) =>
      required(ctx, () => tasks.start(later(300, { ...text('The job failed.'), isError: true }))),
    ),
    fixture('protocol_error_job', (_args, ctx) =>
      required(ctx, () =>
        tasks.start(pause(100).then(() => ({ status: 'failed', error: { code: -32_603, message: 'Internal error' } }))),
      ),
    ),
    fixture(
      'confirm_delete',
      ({ filename }, ctx) =>
        required(ctx, () => tasks.start({ confirm: question(`Delete ${String(filename)}?`, 'confirm', 'boolean') })),
      { filename: { type: 'string' } },
    ),
    fixture('multi_input', (_args, ctx) =>
      required(ctx, () =>
        tasks.start({ first: question('First name?', 'name'), second: question('Second name?', 'name') }),
      ),
    ),
    fixture('test_tool_with_task', (_args, ctx) =>
      required(ctx, () => {
        const name = filledIn(ctx, 'user_name', 'name');
        if (typeof name === 'string') return tasks.start(later(100, text(`Hello, ${name}!`)));
        return inputRequired({ inputRequests: { user_name: question('What is your name?', 'name') } });
      }),
    ),
  ];
}
