import type { SessionView, ShardView } from '../../contracts/sessions.ts';
import { field, lines, value } from './lines.ts';

const counts = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by)
    .map(([status, count]) => `${String(count)} ${status}`)
    .join(', ');

/** A session with the state of what belongs to it. */
export const sessionDetails = (session: SessionView): string =>
  lines(
    field('Session ID', session.id),
    field('Title', session.title),
    field('Agent Role', session.agent_role),
    field('Current State', session.status),
    field('Lead', session.lead),
    field('Participants', session.participants.join(', ')),
    field('Task', session.task_id),
    value('Metadata', session.metadata, 200),
    value('Hand-off', session.handoff, 4000),
    field('Reason', session.reason),
    field('Tasks', counts(session.tasks)),
    field('Approvals', counts(session.approvals)),
    field('Shared context', session.shards.join(', ')),
    field('Possible now', session.allowed.join(', ')),
    field('Trace ID', session.trace_id),
  );

/** What the tools that change a session answer. */
export const changedSession = (session: SessionView): string =>
  lines(`✅ Done: the session is ${session.status}.`, sessionDetails(session));

/** A part of the shared context. */
export const shard = (part: ShardView): string =>
  lines(
    field('Session ID', part.session_id),
    field('Name', part.name),
    field('Version', `${String(part.version)} (send it as if_match, as text, to overwrite)`),
    field('Readers', part.readers.join(', ')),
    field('Written by', `${part.written_by} at ${part.updated_at}`),
    value('Content', part.content),
  );

/** What write_context answers: not the content, which the writer knows. */
export const writtenShard = (part: ShardView): string => lines('✅ Written.', shard({ ...part, content: null }));
