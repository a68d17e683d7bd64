import { z } from 'zod';

import { kindOfId } from '../../contracts/ids.ts';

/** The resource that holds what waits for the caller. */
export const INBOX_URI = 'switchboard://inbox';

const ROOMS: Readonly<Record<string, string>> = { task: 'tasks', approval: 'approvals', session: 'sessions' };

/** What an event of /stream says of itself, as far as resources go. */
const StreamEvent = z.object({
  id: z.string(),
  task_id: z.string().nullish(),
  session_id: z.string().nullish(),
});

/** The resources that read differently after an event: its subject, what that belongs to, and the inbox. */
export function urisOf(data: string): readonly string[] {
  const parsed = StreamEvent.safeParse(parseJson(data));
  if (!parsed.success) return [];
  const { id, task_id, session_id } = parsed.data;
  const subjects = [id, task_id, session_id].flatMap((one) => (one ? uriOf(one) : []));
  return [...new Set([...subjects, INBOX_URI])];
}

function uriOf(id: string): string[] {
  const room = ROOMS[kindOfId(id) ?? ''];
  return room === undefined ? [] : [`switchboard://${room}/${id}`];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
