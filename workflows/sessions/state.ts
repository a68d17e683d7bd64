import type { Actor } from '../../contracts/actor.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { Role } from '../../contracts/principal.ts';
import { allowedEvents, SESSION_TRANSITIONS } from '../../contracts/session-workflow.ts';
import type { SessionChange, SessionStart, SessionStatus } from '../../contracts/session-workflow.ts';

/** All a session knows about itself; it survives continue-as-new as it is. */
export interface Session {
  readonly status: SessionStatus;
  readonly lead: string;
  readonly lead_role: Role;
  readonly participants: readonly string[];
  readonly handoff: string | null;
  readonly reason: string | null;
  readonly created_at: number;
  readonly last_transition_at: number;
  readonly paused_at: number | null;
  readonly completed_at: number | null;
  readonly failed_at: number | null;
  readonly expires_at: number;
}

export type SessionTransition =
  SessionChange | { readonly type: 'expire' } | { readonly type: 'extend'; readonly until: number };

export interface SessionRefusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** True when nothing can happen to the session any more. */
export const ended = ({ status }: Session): boolean => allowedEvents(status).length === 0;

/** A session as it comes into being. */
export const openedSession = (start: SessionStart, now: number): Session => ({
  status: 'pending',
  lead: start.lead,
  lead_role: start.agent_role,
  participants: [...new Set([start.creator.id, start.lead, ...start.participants])],
  handoff: null,
  reason: null,
  created_at: now,
  last_transition_at: now,
  paused_at: null,
  completed_at: null,
  failed_at: null,
  expires_at: now + start.idle_seconds * 1000,
});

const names = (actor: Actor): (string | null)[] => [actor.id, actor.acts_for, actor.role];

/** Whether an actor takes part: itself, through its role, or as assistant of somebody who does. */
export const takesPart = (session: Session, actor: Actor): boolean =>
  actor.kind === 'service' || names(actor).some((name) => name !== null && session.participants.includes(name));

/** Whether an actor leads the session, itself or through its role. */
export const leads = (session: Session, actor: Actor): boolean =>
  actor.kind === 'service' || actor.administrator || names(actor).includes(session.lead);

/** Why a change is not possible for this actor in this state; undefined where it is. */
export function refusalOf(session: Session, change: SessionChange): SessionRefusal | undefined {
  if (!takesPart(session, change.actor) && !change.actor.administrator)
    return { code: 'forbidden', detail: 'You do not take part in this session.' };
  if (ended(session)) return { code: 'illegal_transition', detail: `The session is ${session.status}.` };
  if (change.type === 'join')
    return change.participant === change.actor.id || leads(session, change.actor)
      ? undefined
      : { code: 'forbidden', detail: 'Only the lead adds others to the session.' };
  if (change.type === 'handoff')
    return leads(session, change.actor)
      ? undefined
      : { code: 'forbidden', detail: 'Only the lead hands the session off.' };
  if (SESSION_TRANSITIONS[session.status][change.type] === undefined)
    return { code: 'illegal_transition', detail: `The session is ${session.status}; ${change.type} is not possible.` };
  return undefined;
}

function moved(session: Session, status: SessionStatus, reason: string | null, now: number): Session {
  return {
    ...session,
    status,
    reason: reason ?? session.reason,
    last_transition_at: now,
    paused_at: status === 'paused' ? now : null,
    completed_at: status === 'completed' ? now : null,
    failed_at: status === 'failed' ? now : null,
  };
}

const joined = (session: Session, participant: string): readonly string[] => [
  ...new Set([...session.participants, participant]),
];

/** The next state. Changes must have been checked with refusalOf. */
export function nextSession(session: Session, change: SessionTransition, now: number): Session {
  switch (change.type) {
    case 'join':
      return { ...session, participants: joined(session, change.participant) };
    case 'handoff':
      return {
        ...session,
        lead: change.to,
        lead_role: change.to_role,
        participants: joined(session, change.to),
        handoff: change.content,
      };
    case 'expire':
      return moved(session, 'expired', null, now);
    case 'extend':
      return { ...session, expires_at: change.until };
    default:
      return moved(session, SESSION_TRANSITIONS[session.status][change.type] ?? session.status, change.content, now);
  }
}
