import { z } from 'zod';

const UUID_V7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

/** Prefixes that say what an id names; the rest is a UUIDv7 (RFC 9562), so ids sort by creation time. */
export const ID_PREFIXES = {
  organisation: 'org',
  user: 'user',
  agent: 'agent',
  task: 'task',
  approval: 'appr',
  session: 'sess',
  run: 'run',
  notification: 'note',
  channel: 'chan',
  delegation: 'dele',
  audit: 'evt',
  content: 'cont',
  delivery: 'dlvr',
  import: 'imp',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

const idOf = (kind: IdKind, description: string) =>
  z
    .string()
    .regex(new RegExp(`^${ID_PREFIXES[kind]}_${UUID_V7}$`), `must be a ${ID_PREFIXES[kind]}_ id with a UUIDv7`)
    .describe(description);

export const UserId = idOf('user', 'Id of a person, user_…');
export const AgentId = idOf('agent', 'Id of an agent, agent_…');
export const TaskId = idOf('task', 'Id of a task, task_…');
export const ApprovalId = idOf('approval', 'Id of an approval, appr_…');
export const SessionId = idOf('session', 'Id of a session, sess_…');
export const RunId = idOf('run', 'Id of a run, run_…');
export const NotificationId = idOf('notification', 'Id of a notification, note_…');
export const ChannelId = idOf('channel', 'Id of a delivery channel, chan_…');
export const ImportId = idOf('import', 'Id of an import of the org chart, imp_…');
export const DelegationId = idOf('delegation', 'Id of a delegation, dele_…');

/** Any id that a status can be asked for. */
export const SubjectId = z
  .string()
  .regex(new RegExp(`^(task|appr|sess|run|note)_${UUID_V7}$`), 'must be a task_, appr_, sess_, run_ or note_ id')
  .describe('Id of a task, approval, session, run or notification');

/** Any id that a receipt of the record can be asked for. */
export const ReceiptSubject = z
  .string()
  .regex(new RegExp(`^(task|appr|sess|evt)_${UUID_V7}$`), 'must be a task_, appr_, sess_ or evt_ id')
  .describe('Id of a task, approval, session or event');

/** What kind of thing an id names, by its prefix; undefined for text that is no id. */
export function kindOfId(id: string): IdKind | undefined {
  const prefix = id.slice(0, id.indexOf('_'));
  return (Object.keys(ID_PREFIXES) as IdKind[]).find((kind) => ID_PREFIXES[kind] === prefix);
}
