import type {
  ApprovalStart,
  ApprovalState,
  CheckedDecision,
  CompileRequest,
  Decision,
  Redemption,
  Replacement,
  Revision,
  Withdrawal,
} from '../../contracts/approval-workflow.ts';
import { refused } from '../../contracts/parse.ts';
import { refusalIn } from '../failures.ts';
import { local } from '../local.ts';
import { Recorder } from '../recorder.ts';
import { showStatus } from '../search.ts';
import { approvalState, changeRecord, openedRecord, refusalRecord } from './record.ts';
import { usersOf } from '../../contracts/requirement.ts';
import {
  closedRefusal,
  decisionRefusal,
  nextApproval,
  nextDeadline,
  openedApproval,
  personOf,
  redemptionRefusal,
  repeats,
  requesterRefusal,
  waitingFor,
} from './state.ts';
import type { Approval, ApprovalDeadline, ApprovalEvent, ApprovalRefusal } from './state.ts';

/** What the main loop takes from its mailbox. */
export type Message =
  | { type: 'decide'; decision: Decision }
  | { type: 'revise'; revision: Revision }
  | { type: 'withdraw'; withdrawal: Withdrawal }
  | { type: 'redeem'; redemption: Redemption }
  | { type: 'replace'; replacement: Replacement };

/** The approval at work: applies one message at a time, writes it down, and tells who is concerned. */
export class ApprovalDesk {
  private readonly start: ApprovalStart;
  private readonly recorder: Recorder;
  private approval: Approval | undefined;
  opened: { readonly refusal: Error | null } | undefined;

  constructor(start: ApprovalStart) {
    this.start = start;
    this.recorder = new Recorder(start.organisation_id);
  }

  get closed(): boolean {
    return this.approval?.closed ?? false;
  }

  /** Says what the next transitions belong to. */
  begin(changeId: string): void {
    this.recorder.begin(changeId);
  }

  /** Masking, approvers and digest, record: three short activities. */
  async open(): Promise<boolean> {
    const { start } = this;
    try {
      await this.mask(start.content);
      const compiled = await local.compileApproval(this.compileRequest(start.content));
      this.approval = openedApproval(start, compiled, Date.now());
      await this.recorder.record(openedRecord(this.approval));
      showStatus('pending');
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

  openedState(): ApprovalState {
    if (this.opened?.refusal) throw this.opened.refusal;
    return this.stateNow();
  }

  stateNow(): ApprovalState {
    return approvalState(this.known());
  }

  deadline(): ReturnType<typeof nextDeadline> {
    return this.approval && nextDeadline(this.approval);
  }

  settled(): Promise<void> {
    return this.recorder.settled();
  }

  closedNow(): Error {
    const approval = this.known();
    return this.refusal(closedRefusal(approval) ?? { code: 'illegal_transition', detail: 'The approval is closed.' });
  }

  checkDecision(decision: Decision): void {
    const approval = this.known();
    if (!repeats(approval, decision)) this.refuseWith(decisionRefusal(approval, decision));
  }

  checkRequester({ actor }: { actor: Decision['actor'] }): void {
    this.refuseWith(requesterRefusal(this.known(), actor));
  }

  checkRedemption(redemption: Redemption): void {
    this.refuseWith(redemptionRefusal(this.known(), redemption, Date.now()));
  }

  async handle(message: Message): Promise<ApprovalState> {
    if (message.type === 'decide') await this.decide(message.decision);
    else if (message.type === 'revise') await this.revise(message.revision);
    else if (message.type === 'withdraw') {
      this.checkRequester(message.withdrawal);
      await this.apply(message);
    } else if (message.type === 'replace') {
      // Nothing where they were not asked, or have answered.
      if (waitingFor(this.known()).includes(message.replacement.user)) await this.apply(message);
    } else {
      this.checkRedemption(message.redemption);
      if (!this.known().redeemed) await this.apply(message);
    }
    return this.stateNow();
  }

  async elapse(kind: ApprovalDeadline | undefined): Promise<void> {
    if (kind === 'remind') await this.apply({ type: 'remind' });
    else if (kind === 'due') await this.expireOrEscalate();
    else if (kind === 'redeem') await this.apply({ type: 'lapse' });
  }

  private async decide(decision: Decision): Promise<void> {
    this.checkDecision(decision);
    if (repeats(this.known(), decision)) return;
    if (decision.content !== null) await this.mask(decision.content);
    await this.apply({ type: 'decide', decision, checked: await this.checked(decision) });
  }

  /** Approvers without edits are known to the workflow; delegates and edits are looked up. */
  private async checked(decision: Decision): Promise<CheckedDecision> {
    const approval = this.known();
    const own = usersOf(approval.compiled.requirement).includes(personOf(decision.actor));
    if (own && !decision.edits) return { on_behalf_of: null, edited: null };
    return local.checkDecision({
      organisation_id: this.start.organisation_id,
      request: this.compileRequest(approval.content),
      actor: decision.actor,
      decision: decision.content,
      edits: decision.edits,
    });
  }

  private async revise(revision: Revision): Promise<void> {
    this.checkRequester(revision);
    await this.mask(revision.content);
    const compiled = await local.compileApproval(this.compileRequest(revision.content));
    await this.apply({ type: 'revise', revision, compiled });
  }

  private async expireOrEscalate(): Promise<void> {
    const approval = this.known();
    if (approval.start.on_expiry === 'deny' || approval.status !== 'pending') return this.apply({ type: 'expire' });
    const { organisation_id, requester } = this.start;
    const above = await local.managersOf({ organisation_id, users: waitingFor(approval) });
    const known = new Set([...usersOf(approval.compiled.requirement), requester.id, requester.acts_for]);
    const managers = above.filter((user) => !known.has(user));
    return this.apply(managers.length > 0 ? { type: 'escalate', managers } : { type: 'expire' });
  }

  private async apply(event: ApprovalEvent): Promise<void> {
    const before = this.known();
    const after = nextApproval(before, event, Date.now());
    await this.recorder.record(changeRecord(after, event));
    this.approval = after;
    if (after.status !== before.status) showStatus(after.status);
  }

  private mask(content: string): Promise<unknown> {
    return local.mask({ organisation_id: this.start.organisation_id, content, receiver_role: null });
  }

  private compileRequest(content: string): CompileRequest {
    const { organisation_id, requester, task_id, session_id } = this.start;
    return {
      organisation_id,
      requester,
      content,
      task_id,
      session_id,
      escalated_to: this.approval?.escalated_to ?? [],
      ...(this.approval && { replaced: this.approval.replaced }),
    };
  }

  private refuseWith(refusal: ApprovalRefusal | undefined): void {
    if (refusal) throw this.refusal(refusal);
  }

  private refusal(refusal: ApprovalRefusal): Error {
    const { status, ballots } = this.known();
    const last = ballots.at(-1);
    const decided = last
      ? { decided_by: last.by, decided_at: new Date(last.at).toISOString(), decision: last.verdict }
      : {};
    return refused({ ...refusal, facts: { state: status, ...decided } });
  }

  private known(): Approval {
    if (!this.approval)
      throw refused({ code: 'not_found', detail: `Approval ${this.start.approval_id} was not opened.` });
    return this.approval;
  }
}
