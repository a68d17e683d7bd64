import { SYSTEM, tagOf } from '../../contracts/actor.ts';
import type { Actor } from '../../contracts/actor.ts';
import { allowedEvents } from '../../contracts/session-workflow.ts';
import type { SessionProjection, SessionStart, SessionState } from '../../contracts/session-workflow.ts';
import type { TransitionDraft } from '../recorder.ts';
import type { Session, SessionTransition } from './state.ts';

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const isoOrNull = (milliseconds: number | null): string | null => (milliseconds === null ? null : iso(milliseconds));

/** Where the session stands, as updates and queries answer. */
export const sessionState = (start: SessionStart, session: Session): SessionState => ({
  session_id: start.session_id,
  status: session.status,
  lead: session.lead,
  lead_role: session.lead_role,
  participants: [...session.participants],
  allowed: allowedEvents(session.status),
  trace_id: start.trace_id,
});

/** The row of lists and pages. */
export const sessionProjection = (start: SessionStart, session: Session): SessionProjection => ({
  id: start.session_id,
  creator_id: start.creator.id,
  creator_kind: start.creator.kind,
  agent_role: session.lead_role,
  lead: session.lead,
  participants: session.participants,
  status: session.status,
  task_id: start.task_id,
  content: start.content,
  handoff: session.handoff,
  reason: session.reason,
  trace_id: start.trace_id,
  created_at: iso(session.created_at),
  last_transition_at: iso(session.last_transition_at),
  paused_at: isoOrNull(session.paused_at),
  completed_at: isoOrNull(session.completed_at),
  failed_at: isoOrNull(session.failed_at),
  expires_at: iso(session.expires_at),
});

const ACTIONS: Readonly<Record<SessionTransition['type'], string>> = {
  activate: 'session.activated',
  pause: 'session.paused',
  resume: 'session.resumed',
  complete: 'session.completed',
  fail: 'session.failed',
  cancel: 'session.cancelled',
  join: 'session.joined',
  handoff: 'session.handed_off',
  expire: 'session.expired',
  extend: 'session.extended',
};

function line(start: SessionStart, session: Session, action: string, actor: Actor): TransitionDraft {
  return {
    trace_id: start.trace_id,
    event: {
      action,
      actor,
      on_behalf_of: null,
      subject: { kind: 'session', id: start.session_id },
      outcome: action === 'session.failed' ? 'failed' : 'ok',
      task_id: start.task_id,
      session_id: start.session_id,
      policies: [],
      privacy: {},
      details: { status: session.status, lead: session.lead },
    },
    projection: { kind: 'session', row: sessionProjection(start, session) },
    audience: session.participants.map(tagOf),
    notices: [],
  };
}

/** The line for a session that was opened. */
export function openedRecord(start: SessionStart, session: Session, policies: readonly string[]): TransitionDraft {
  const base = line(start, session, 'session.opened', start.creator);
  return { ...base, event: { ...base.event, policies: [...policies] } };
}

/** The line for a change of a session; a hand-off tells the new lead. */
export function changeRecord(start: SessionStart, session: Session, change: SessionTransition): TransitionDraft {
  const actor = 'actor' in change ? change.actor : SYSTEM;
  const base = line(start, session, ACTIONS[change.type], actor);
  const message = `Session ${start.session_id} was handed to you.`;
  return {
    ...base,
    trace_id: 'trace_id' in change ? change.trace_id : start.trace_id,
    notices:
      change.type === 'handoff' ? [{ to: tagOf(change.to), level: 'info', title: 'You lead a session', message }] : [],
  };
}

/** The line for a session that was refused. */
export const refusalRecord = (start: SessionStart, code: string): TransitionDraft => ({
  trace_id: start.trace_id,
  event: {
    action: 'session.refused',
    actor: start.creator,
    on_behalf_of: null,
    subject: { kind: 'session', id: start.session_id },
    outcome: 'denied',
    task_id: null,
    session_id: start.session_id,
    policies: [],
    privacy: {},
    details: { code },
  },
  audience: [],
  notices: [],
});
