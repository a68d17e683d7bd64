import {
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';

import type { Notice, RecordedEvent } from '../../contracts/record.ts';
import type {
  PreparedRecipe,
  RecipeRunStart,
  RecipeRunState,
  RecipeRunStatus,
  TaskOutcome,
} from '../../contracts/recipe-workflow.ts';
import { cancelSignal, TASK_WORKFLOW, taskWorkflowId } from '../../contracts/task-workflow.ts';
import type { TaskStart, TaskWorkflow } from '../../contracts/task-workflow.ts';
import { refusalIn } from '../failures.ts';
import { local } from '../local.ts';
import { Recorder } from '../recorder.ts';
import type { TransitionDraft } from '../recorder.ts';
import { attributesOf, showStatus } from '../search.ts';

const LEASE_SECONDS = 300;
const MAX_ATTEMPTS = 3;
const PRIORITY = 3;

const ENDS: Readonly<Record<string, RecipeRunStatus>> = { completed: 'completed', cancelled: 'cancelled' };

/** A run at work: sends its task, writes down how it went, and tells the role. */
export class RecipeRunDesk {
  private readonly start: RecipeRunStart;
  private readonly recorder: Recorder;
  private readonly startedAt = new Date().toISOString();
  private prepared: PreparedRecipe | undefined;
  private status: RecipeRunStatus = 'running';
  private endedAt: string | null = null;
  private refusal: Error | undefined;
  private admitted = false;
  private outcome: TaskOutcome['status'] | undefined;
  begun = false;

  constructor(start: RecipeRunStart) {
    this.start = start;
    this.recorder = new Recorder(start.organisation_id);
  }

  /** How long the task may take. */
  get patienceMs(): number {
    return (this.prepared?.complete_seconds ?? 0) * 1_000;
  }

  /** Sends the task; answers false where the recipe cannot run. */
  async begin(): Promise<boolean> {
    try {
      this.prepared = await local.prepareRecipe(this.start);
      await this.recorder.record(this.line('recipe.started'));
      await this.send(this.prepared);
    } catch (error) {
      const failure = refusalIn(error);
      if (!failure) throw error;
      this.refusal = failure;
      await this.over('refused', 'recipe.refused');
    }
    this.begun = true;
    return this.refusal === undefined;
  }

  /** The answer for whoever asked for the run. */
  started(): RecipeRunState {
    if (this.refusal) throw this.refusal;
    return this.stateNow();
  }

  /** The task tells where it stands. */
  hear({ status }: TaskOutcome): void {
    this.admitted = true;
    if (status !== 'pending') this.outcome ??= status;
  }

  get isDone(): boolean {
    return this.outcome !== undefined;
  }

  /** The task ended, or got stuck. */
  async end(): Promise<void> {
    const status = ENDS[this.outcome ?? ''] ?? 'failed';
    await this.over(status, `recipe.${status}`);
  }

  /** Nobody was done in time: what nobody waits for any more is not to be done later. */
  async giveUp(): Promise<void> {
    await this.cancelTask('its recipe waited long enough');
    await this.over('overdue', 'recipe.overdue');
  }

  /** An operator cancelled the run. */
  async cancel(): Promise<void> {
    await this.cancelTask('the run of its recipe was cancelled');
    await this.over('cancelled', 'recipe.cancelled');
  }

  settled(): Promise<void> {
    return this.recorder.settled();
  }

  stateNow(): RecipeRunState {
    const { run_id, role, recipe, trigger, trace_id } = this.start;
    return {
      run_id,
      role,
      recipe,
      trigger,
      trace_id,
      status: this.status,
      task_id: this.prepared?.task_id ?? null,
      reason: this.refusal?.message ?? null,
      started_at: this.startedAt,
      ended_at: this.endedAt,
    };
  }

  private async send(prepared: PreparedRecipe): Promise<void> {
    const { organisation_id: organisation, role } = this.start;
    await startChild<TaskWorkflow>(TASK_WORKFLOW, {
      workflowId: taskWorkflowId(organisation, prepared.task_id),
      args: [this.taskStart(prepared)],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      typedSearchAttributes: attributesOf({ organisation, kind: 'task', status: 'admitting', role }),
    });
    await condition(() => this.admitted);
  }

  private taskStart({ task_id, content, complete_seconds }: PreparedRecipe): TaskStart {
    const { organisation_id, trace_id, actor, role } = this.start;
    return {
      organisation_id,
      task_id,
      trace_id,
      sender: actor,
      sender_role: actor.role ?? role,
      target: role,
      content,
      skills: [],
      priority: PRIORITY,
      session_id: null,
      parent_task_id: null,
      respond_seconds: null,
      complete_seconds,
      lease_seconds: LEASE_SECONDS,
      max_attempts: MAX_ATTEMPTS,
      checks_result: true,
      changes_per_run: 500,
      tell: workflowInfo().workflowId,
    };
  }

  private async cancelTask(because: string): Promise<void> {
    if (!this.prepared) return;
    const { task_id } = this.prepared;
    const task = getExternalWorkflowHandle(taskWorkflowId(this.start.organisation_id, task_id));
    // One that has ended meanwhile cannot be reached and need not be.
    await task.signal(cancelSignal, { because }).catch(() => undefined);
  }

  private async over(status: RecipeRunStatus, action: string): Promise<void> {
    this.recorder.begin('end');
    this.status = status;
    this.endedAt = new Date().toISOString();
    await this.recorder.record(this.line(action));
    showStatus(status);
  }

  private line(action: string): TransitionDraft {
    const { run_id, role, trace_id, recipe, actor, trigger } = this.start;
    const { status, task_id, reason, started_at, ended_at } = this.stateNow();
    const event: RecordedEvent = {
      action,
      actor,
      on_behalf_of: null,
      subject: { kind: 'run', id: run_id },
      outcome: status === 'running' || status === 'completed' ? 'ok' : 'failed',
      task_id,
      session_id: null,
      policies: [],
      privacy: {},
      details: { status, role, recipe, trigger, ...(this.outcome !== undefined && { task: this.outcome }) },
    };
    const row = { id: run_id, role, recipe, trigger, started_by: actor.id, status, task_id, reason, trace_id };
    return {
      trace_id,
      event,
      projection: { kind: 'run', row: { ...row, created_at: started_at, ended_at } },
      audience: [`role:${role}`],
      notices: this.notices(),
    };
  }

  private notices(): Notice[] {
    const { role, recipe, run_id } = this.start;
    const task = this.prepared?.task_id ?? '';
    const told = (level: Notice['level'], title: string, message: string): Notice[] => [
      { to: `role:${role}`, level, title, message },
    ];
    switch (this.status) {
      case 'running':
        return [];
      case 'completed':
        return told('info', `Recipe ${recipe} completed`, `Read its result with fetch_status of ${task}.`);
      case 'overdue':
        return told(
          'critical',
          `Recipe ${recipe} is overdue`,
          `Nobody was done with ${task} in time; it was cancelled.`,
        );
      case 'refused':
        return told('warning', `Recipe ${recipe} could not run`, `Run ${run_id} was refused; see the recipe's runs.`);
      default:
        return told('warning', `Recipe ${recipe} ${this.status}`, `Read why with fetch_status of ${task}.`);
    }
  }
}
