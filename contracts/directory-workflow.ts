import { defineSignal } from '@temporalio/workflow';

/** Why open work moves away from somebody. */
export type MoveReason = 'left' | 'role_changed' | 'silent' | 'draining';

/** Somebody whose open work has to move, and who may take it over. */
export interface Move {
  readonly id: string;
  /** user_… or agent_… */
  readonly subject_id: string;
  readonly reason: MoveReason;
  readonly trace_id: string;
  /** The role that they have now; work for it may stay with who only changed roles. */
  readonly role: string;
  /** Agents that act for the person. */
  readonly agents: readonly string[];
  /** Who answers in their place: delegates first, then the managers above, nearest first. */
  readonly successors: readonly string[];
}

/** A page of what somebody still has open. */
export interface OpenWork {
  readonly tasks: readonly string[];
  readonly approvals: readonly string[];
}

export interface DirectoryChange {
  readonly organisation_id: string;
  /** Lots that earlier runs have dealt with; absent at the first. */
  readonly moved?: number;
}

export interface DirectoryActivities {
  /** The next people whose work has to move, oldest first. */
  pendingMoves(request: { readonly organisation_id: string; readonly limit: number }): Promise<readonly Move[]>;
  /** What they still have open, after given ids. */
  openWorkOf(request: {
    readonly organisation_id: string;
    readonly move: Move;
    readonly after: { readonly task: string | null; readonly approval: string | null };
    readonly limit: number;
  }): Promise<OpenWork>;
  finishMoves(request: { readonly organisation_id: string; readonly ids: readonly string[] }): Promise<void>;
}

export interface DirectorySweepActivities {
  /** Shows agents offline that stopped answering, ends imports whose process is gone; answers who has work to move. */
  sweepDirectory(): Promise<readonly string[]>;
}

export type DirectoryChangeWorkflow = (change: DirectoryChange) => Promise<{ readonly moved: number }>;
export const DIRECTORY_CHANGE_WORKFLOW = 'directoryChange';
/** There is more to move: sent with the start, so that a run that is about to end looks again. */
export const movesWaitingSignal = defineSignal('movesWaiting');
export const directoryChangeWorkflowId = (organisationId: string): string => `directory-change:${organisationId}`;

export type DirectorySweepWorkflow = () => Promise<{ readonly started: number }>;
export const DIRECTORY_SWEEP_WORKFLOW = 'directorySweep';
export const DIRECTORY_SWEEP_SCHEDULE = 'switchboard-directory-sweep';
