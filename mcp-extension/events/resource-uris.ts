import { z } from 'zod';

import { kindOfId } from '../../contracts/ids.ts';

/** The resource that holds what waits for the caller. */
export const INBOX_URI = 'switchboard://inbox';

/** The resource that holds the caller's profile; when it changes, so may the list of tools. */
export const PROFILE_URI = 'switchboard://profile';

const ROOMS: Readonly<Record<string, string>> = { task: 'tasks', approval: 'approvals', session: 'sessions' };

/** What an event of /stream says of itself, as far as resources go. */
const StreamEvent = z.object({
  id: z.string(),
  type: z.string().nullish(),
  task_id: z.string().nullish(),
  session_id: z.string().nullish(),
});

/** The resources that read differently after an event: its subject, what that belongs to, and the inbox. */
export function urisOf(data: string): readonly string[] {
  const parsed = StreamEvent.safeParse(parseJson(data));
  if (!parsed.success) return [];
  const { id, type, task_id, session_id } = parsed.data;
  if (type?.startsWith('profile.')) return [PROFILE_URI];
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
