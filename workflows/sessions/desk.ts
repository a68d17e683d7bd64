import { continueAsNew, executeChild, ParentClosePolicy, uuid4, workflowInfo } from '@temporalio/workflow';

import { refused } from '../../contracts/parse.ts';
import { allowedEvents, FANOUT_WORKFLOW, fanoutWorkflowId } from '../../contracts/session-workflow.ts';
import type {
  Fanout,
  FanoutWorkflow,
  SessionChange,
  SessionStart,
  SessionState,
  SessionWorkflow,
} from '../../contracts/session-workflow.ts';
import { refusalIn } from '../failures.ts';
import { local } from '../local.ts';
import { Recorder } from '../recorder.ts';
import { showStatus } from '../search.ts';
import { changeRecord, openedRecord, refusalRecord, sessionState } from './record.ts';
import { ended, nextSession, openedSession, refusalOf } from './state.ts';
import type { Session, SessionTransition } from './state.ts';

/** What one run of the workflow hands to the next. */
interface Carried {
  readonly session: Session;
  readonly sequence: number;
  readonly handled: readonly string[];
}

/** Updates whose ids are remembered over runs; a client repeats the last ones only. */
const REMEMBERED = 100;

/** The session at work: applies one change at a time, writes it down, and carries pauses to its tasks. */
export class SessionDesk {
  private readonly start: SessionStart;
  private readonly recorder: Recorder;
  private session: Session | undefined;
  private changes = 0;
  private handled: readonly string[] = [];
  opened: { readonly refusal: Error | null } | undefined;

  constructor(start: SessionStart) {
    this.start = start;
    const carried = start.carried as Carried | undefined;
    this.recorder = new Recorder(start.organisation_id, carried?.sequence);
    if (carried) {
      this.session = carried.session;
      this.handled = carried.handled;
      this.opened = { refusal: null };
    }
  }

  get over(): boolean {
    return this.session !== undefined && ended(this.session);
  }

  /** Whether the history has grown enough for a new run. */
  get longEnough(): boolean {
    return this.changes >= this.start.changes_per_run || workflowInfo().continueAsNewSuggested;
  }

  get deadline(): number {
    return this.known().expires_at;
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

  async open(): Promise<boolean> {
    const { start } = this;
    if (this.session) return true;
    try {
      const { policies } = await local.admitSession(start);
      await this.mask(start.content);
      this.session = openedSession(start, Date.now());
      await this.recorder.record(openedRecord(start, this.session, policies));
      showStatus(this.session.status);
      this.opened = { refusal: null };
      return true;
    } catch (error) {
      const refusal = refusalIn(error);
      if (!refusal) throw error;
      await this.recorder.record(refusalRecord(start, refusal.type ?? 'forbidden'));
      showStatus('refused');
      this.opened = { refusal };
      return false;
    }
  }

  openedState(): SessionState {
    if (this.opened?.refusal) throw this.opened.refusal;
    return this.stateNow();
  }

  stateNow(): SessionState {
    return sessionState(this.start, this.known());
  }

  check(change: SessionChange): void {
    const session = this.known();
    const refusal = refusalOf(session, change);
    if (refusal)
      throw refused({ ...refusal, facts: { state: session.status, allowed: allowedEvents(session.status) } });
  }

  overNow(): Error {
    const { status } = this.known();
    return refused({
      code: 'illegal_transition',
      detail: `The session is ${status}.`,
      facts: { state: status, allowed: [] },
    });
  }

  settled(): Promise<void> {
    return this.recorder.settled();
  }

  async change(change: SessionChange): Promise<SessionState> {
    this.check(change);
    if ('content' in change && change.content !== null) await this.mask(change.content);
    await this.apply(change);
    this.changes += 1;
    return this.stateNow();
  }

  /** Idle for too long ends it; anything that happened in its tasks or shards meanwhile keeps it alive. */
  async expireOrExtend(): Promise<void> {
    const { organisation_id, session_id, idle_seconds } = this.start;
    const last = await local.lastActivity({ organisation_id, session_id });
    const until = last + idle_seconds * 1000;
    await this.apply(until > Date.now() ? { type: 'extend', until } : { type: 'expire' });
  }

  /** Nobody waits for an answer and nothing is queued: the next run takes over, with the same id and state. */
  continueAsNew(): Promise<never> {
    const carried: Carried = { session: this.known(), sequence: this.recorder.sequence, handled: this.handled };
    return continueAsNew<SessionWorkflow>({ ...this.start, carried });
  }

  private async apply(change: SessionTransition): Promise<void> {
    const before = this.known();
    const after = nextSession(before, change, Date.now());
    await this.recorder.record(changeRecord(this.start, after, change));
    this.session = after;
    if (after.status !== before.status) showStatus(after.status);
    if (after.status === 'cancelled') await this.reachTasks('cancel');
    else if (after.status === 'paused') await this.reachTasks('pause');
    // However a pause ends, the tasks go on: they may outlive the session.
    else if (before.status === 'paused') await this.reachTasks('resume');
  }

  /**
   * A workflow of its own reaches the tasks, so that a large session's history stays small. It is waited for: a resume
   * must not overtake the pause before it.
   */
  private async reachTasks(message: Fanout['message']): Promise<void> {
    const { organisation_id, session_id } = this.start;
    const fanout: Fanout = { organisation_id, scope: 'session', id: session_id, message };
    await executeChild<FanoutWorkflow>(FANOUT_WORKFLOW, {
      workflowId: fanoutWorkflowId(fanout, uuid4()),
      args: [fanout],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  }

  private mask(content: string): Promise<unknown> {
    return local.mask({ organisation_id: this.start.organisation_id, content, receiver_role: null });
  }

  private known(): Session {
    if (!this.session) throw refused({ code: 'not_found', detail: `Session ${this.start.session_id} was not opened.` });
    return this.session;
  }
}
