import {
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  patched,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';

import { SYSTEM } from '../../contracts/actor.ts';
import { approvalWorkflowId, withdrawSignal } from '../../contracts/approval-workflow.ts';
import { refused } from '../../contracts/parse.ts';
import { FANOUT_WORKFLOW, fanoutWorkflowId } from '../../contracts/session-workflow.ts';
import type { Fanout, FanoutWorkflow } from '../../contracts/session-workflow.ts';
import { cancelSignal, taskWorkflowId } from '../../contracts/task-workflow.ts';
import type {
  Admission,
  Reassignment,
  TaskChange,
  TaskReceipt,
  TaskStart,
  TaskState,
  TaskWorkflow,
} from '../../contracts/task-workflow.ts';
import { asError, refusalIn } from '../failures.ts';
import { local } from '../local.ts';
import { Recorder } from '../recorder.ts';
import { showStatus } from '../search.ts';
import { admissionRecord, changeRecord, refusalRecord, taskState } from './record.ts';
import { admittedTask, allowedNow, ended, isTakenFrom, nextDeadline, nextTask, paused, refusalOf } from './state.ts';
import type { Task, TaskDeadline, TaskEvent } from './state.ts';
import { isUnderWay, tellStarter } from './starter.ts';

/** What the main loop takes from its mailbox. */
export type Message =
  | TaskChange
  | { type: 'paused'; by: string; paused: boolean }
  | { type: 'agent_available' }
  | { type: 'reassign'; reassignment: Reassignment };

/** What one run of the workflow hands to the next. */
interface Carried {
  readonly task: Task;
  readonly masked: TaskReceipt['masked'];
  readonly sequence: number;
  readonly handled: readonly string[];
}

/** Updates whose ids are remembered over runs; a client repeats the last ones only. */
const REMEMBERED = 100;
/** Children and approvals that a task cancels by itself; a workflow of its own reaches more, to keep histories small. */
const REACHED_DIRECTLY = 100;

/** The task at work: applies one message at a time, writes it down, and tells who is concerned. */
export class TaskDesk {
  private readonly start: TaskStart;
  private readonly recorder: Recorder;
  private task: Task | undefined;
  private masked: TaskReceipt['masked'] = [];
  private expired = false;
  private changes = 0;
  private handled: readonly string[] = [];
  admission: { readonly refusal: Error } | { readonly refusal: null } | undefined;

  constructor(start: TaskStart) {
    this.start = start;
    const carried = start.carried as Carried | undefined;
    this.recorder = new Recorder(start.organisation_id, carried?.sequence);
    if (!carried) return;
    this.task = carried.task;
    this.masked = carried.masked;
    this.handled = carried.handled;
    this.admission = { refusal: null };
  }

  get over(): boolean {
    return this.expired || (this.task !== undefined && ended(this.task));
  }

  /** Whether the history has grown enough for a new run, e.g. by months of progress reports. */
  get longEnough(): boolean {
    return this.changes >= this.start.changes_per_run || workflowInfo().continueAsNewSuggested;
  }

  /** Says what the next transitions belong to, and remembers it: Temporal forgets update ids when a run continues as new. */
  begin(changeId: string): void {
    this.recorder.begin(changeId);
    this.handled = [...this.handled, changeId].slice(-REMEMBERED);
  }

  /** Whether an earlier run has dealt with this update already. */
  knows(updateId: string | undefined): boolean {
    return updateId !== undefined && this.handled.includes(updateId);
  }

  /** Policy and choice of assignee, masking to the receiver's clearance, record: three short activities. */
  async admit(): Promise<boolean> {
    const { start } = this;
    if (this.task) return true;
    try {
      const admission = await local.admit({ start });
      this.masked = await local.mask({ ...this.content(), content: start.content, receiver_role: admission.role });
      this.task = admittedTask(start, admission, Date.now());
      await this.recorder.record(admissionRecord(this.task, admission.policies, this.masked));
      showStatus(this.task.status, admission.assignee?.id ?? null);
      this.admission = { refusal: null };
      await tellStarter(start, this.task.status);
      return true;
    } catch (error) {
      const failure = refusalIn(error);
      if (!failure) throw error;
      await this.recorder.record(refusalRecord(start, failure.type ?? 'forbidden'));
      showStatus('refused');
      this.admission = { refusal: failure };
      await tellStarter(start, 'refused');
      return false;
    }
  }

  receipt(): TaskReceipt {
    if (this.admission?.refusal) throw this.admission.refusal;
    const task = this.known();
    return {
      task_id: this.start.task_id,
      status: task.status,
      target: task.target,
      assignee: task.assignee?.id ?? null,
      assigned_because: task.because,
      session_id: this.start.session_id,
      masked: this.masked,
      trace_id: this.start.trace_id,
    };
  }

  stateNow(): TaskState {
    return taskState(this.known());
  }

  deadline(): ReturnType<typeof nextDeadline> {
    return this.task && nextDeadline(this.task);
  }

  /** The refusal for whoever comes too late. */
  overNow(): Error {
    return refused({
      code: 'illegal_transition',
      detail: 'The task has ended.',
      facts: { state: this.known().status, allowed: [] },
    });
  }

  settled(): Promise<void> {
    return this.recorder.settled();
  }

  /** Refuses what cannot be; called before an update is accepted and again when its turn comes. */
  check(change: TaskChange): void {
    const task = this.known();
    const refusal = refusalOf(task, change);
    if (refusal) throw refused({ ...refusal, facts: { state: task.status, allowed: allowedNow(task) } });
  }

  /** Nobody waits for an answer and nothing is queued: the next run takes over, with the same id and state. */
  continueAsNew(): Promise<never> {
    const { masked, handled, recorder } = this;
    const carried: Carried = { task: this.known(), masked, handled, sequence: recorder.sequence };
    return continueAsNew<TaskWorkflow>({ ...this.start, carried });
  }

  async handle(message: Message): Promise<TaskState> {
    this.changes += 1;
    if (message.type === 'agent_available') await this.offerAgain();
    else if (message.type === 'paused') await this.pause(message);
    else if (message.type === 'reassign') await this.reassign(message.reassignment);
    else await this.change(message);
    return this.stateNow();
  }

  async elapse(kind: TaskDeadline | undefined): Promise<void> {
    const task = this.known();
    if (kind === 'lease') {
      await this.apply({ type: 'lease_lost' });
      if (this.known().status === 'pending') await this.route(SYSTEM);
    } else if (kind === 'complete') await this.apply({ type: 'breach' });
    else if (kind === 'respond' && !task.reminded) await this.apply({ type: 'remind' });
    else if (kind === 'respond') await this.apply({ type: 'escalate', to: await this.managerAbove(task) });
    else if (kind === 'park') this.expired = true;
  }

  /** Nothing where it has moved already, or may stay where it is. */
  private async reassign(reassignment: Reassignment): Promise<void> {
    const task = this.known();
    if (!isTakenFrom(task, reassignment)) return;
    await this.apply({ type: 'unassigned', reassignment });
    if (this.known().status === 'pending') await this.route(SYSTEM);
  }

  /** What came online during a pause was offered nothing: it is looked for when the pause ends. */
  private async pause(message: Message & { type: 'paused' }): Promise<void> {
    await this.apply(message);
    if (!message.paused) await this.offerAgain();
  }

  private async change(change: TaskChange): Promise<void> {
    this.check(change);
    const routed = change.type === 'handoff' ? await this.find(change.target, change.actor) : undefined;
    await this.store(change);
    await this.apply(change);
    if (routed) await this.apply({ type: 'routed', admission: routed });
    else if (change.type === 'retry' || (change.type === 'decline' && this.known().status === 'pending'))
      await this.route(change.actor);
    if (change.type === 'cancel') await this.cancelDependents();
  }

  /** Masks the words of a change and checks a result before anything is said to have happened. */
  private async store(change: TaskChange): Promise<void> {
    const content = change.type === 'progress' ? change.note : 'content' in change ? change.content : null;
    if (content === null) return;
    // Before it is masked: a pseudonym is no e-mail address, whatever the schema asks for.
    if (change.type === 'complete' && this.start.checks_result)
      await local.checkResult({ ...this.content(), task: this.start.content, result: content });
    await local.mask({ ...this.content(), content, receiver_role: this.start.sender_role });
  }

  private async apply(event: TaskEvent): Promise<void> {
    const before = this.known();
    const after = nextTask(before, event, Date.now());
    await this.recorder.record(changeRecord(before, after, event));
    this.task = after;
    const moved = after.status !== before.status || after.assignee?.id !== before.assignee?.id;
    if (moved) showStatus(after.status, after.assignee?.id ?? null);
    if (after.status !== before.status && !isUnderWay(after.status)) await tellStarter(this.start, after.status);
  }

  private async offerAgain(): Promise<void> {
    const task = this.known();
    if (task.status === 'pending' && task.assignee === null && !paused(task)) await this.route(SYSTEM);
  }

  private async route(actor: TaskChange['actor']): Promise<void> {
    const task = this.known();
    try {
      const admission = await this.find(task.target, actor);
      if (admission.assignee?.id !== task.assignee?.id) await this.apply({ type: 'routed', admission });
    } catch (error) {
      // A target that has left the organisation: the task stays queued, and its clocks tell the managers.
      if (!refusalIn(error)) throw error;
      log.warn('The task could not be assigned anew', { reason: asError(error).message });
    }
  }

  private find(target: string, actor: TaskChange['actor']): Promise<Admission> {
    const { task_id, skills, session_id } = this.start;
    const { declined_by: excluding, lost_by: avoiding = [] } = this.known();
    return local.reroute({ ...this.content(), task_id, target, skills, session_id, actor, excluding, avoiding });
  }

  private managerAbove(task: Task): Promise<string | null> {
    const assignee = task.assignee?.id ?? null;
    return local.managerAbove({ ...this.content(), assignee, role: task.role, above: task.escalated_to });
  }

  private async cancelDependents(): Promise<void> {
    const { organisation_id, task_id } = this.start;
    const { tasks, approvals } = await local.openDependents({ organisation_id, task_id, limit: REACHED_DIRECTLY + 1 });
    if (tasks.length + approvals.length > REACHED_DIRECTLY && patched('cancel-by-fanout')) return this.cancelMany();
    const because = `task ${task_id} was cancelled`;
    const signals = [
      ...tasks.map((id) =>
        getExternalWorkflowHandle(taskWorkflowId(organisation_id, id)).signal(cancelSignal, { because }),
      ),
      ...approvals.map((id) =>
        getExternalWorkflowHandle(approvalWorkflowId(organisation_id, id)).signal(withdrawSignal, { because }),
      ),
    ];
    // Those that ended meanwhile cannot be reached and need not be.
    await Promise.allSettled(signals);
  }

  /** Not waited for: nothing can overtake a cancellation, and the caller is told at once that the task itself is cancelled. */
  private async cancelMany(): Promise<void> {
    const { organisation_id, task_id } = this.start;
    const fanout: Fanout = { organisation_id, scope: 'task', id: task_id, message: 'cancel' };
    await startChild<FanoutWorkflow>(FANOUT_WORKFLOW, {
      workflowId: fanoutWorkflowId(fanout, uuid4()),
      args: [fanout],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  }

  private content(): { organisation_id: string } {
    return { organisation_id: this.start.organisation_id };
  }

  private known(): Task {
    if (!this.task) throw refused({ code: 'not_found', detail: `Task ${this.start.task_id} was not admitted.` });
    return this.task;
  }
}
