import type { Request, Response } from 'express';

import { Topic } from '../../contracts/record.ts';
import type { Principal } from '../../contracts/principal.ts';
import { formatCursor, outboxAfter, parseCursor } from '../../db/outbox.ts';
import type { OutboxCursor, OutboxRow } from '../../db/outbox.ts';
import { principalTags } from '../../policy/tags.ts';
import { requireScope } from '../authentication.ts';
import type { Mounting } from '../http.ts';
import { drained } from '../drained.ts';
import { ApiError } from '../problem.ts';
import { endWhenRefused } from './end-when-refused.ts';

const HEARTBEAT_MS = 15_000;
const CATCH_UP = 500;
/** Rows that wait for a slow client before it is cut off; it comes back with Last-Event-ID. */
const MOST_WAITING = 10_000;

function topicsOf(req: Request): ReadonlySet<string> {
  const given = req.query['topics'];
  if (given === undefined) return new Set(Topic.options);
  const parsed = Topic.array().safeParse(typeof given === 'string' ? given.split(',') : given);
  if (parsed.success) return new Set(parsed.data);
  throw new ApiError({
    code: 'invalid_input',
    detail: `topics: must be a comma-separated list of ${Topic.options.join(', ')}.`,
  });
}

function startOf(req: Request): OutboxCursor | undefined {
  const given = req.get('last-event-id') ?? req.query['last_event_id'];
  if (given === undefined || given === '') return undefined;
  const cursor = typeof given === 'string' ? parseCursor(given) : undefined;
  if (!cursor)
    throw new ApiError({ code: 'invalid_input', detail: 'Last-Event-ID: must be the id of an event of this stream.' });
  return cursor;
}

/** Whether an event concerns a reader: one of its tags is among those the event is addressed to. */
export const concerns = (principal: Principal, { audience }: Pick<OutboxRow, 'audience'>): boolean =>
  principalTags(principal).some((tag) => audience.includes(tag));

const isAfter = (row: OutboxCursor, cursor: OutboxCursor): boolean => {
  const [a, b] = [BigInt(row.txid), BigInt(cursor.txid)];
  return a > b || (a === b && BigInt(row.id) > BigInt(cursor.id));
};

/** GET /stream: server-sent events (WHATWG HTML, section 9.2), resumable, only what the caller may see. */
export function mountStream({ router, deps, authenticate }: Mounting): void {
  router.get('/stream', async (req: Request, res: Response) => {
    const principal = await authenticate(req.get('authorization'));
    requireScope(principal, 'read');
    const [topics, from] = [topicsOf(req), startOf(req)];
    const leave = deps.limits.connect(principal, 'streams');
    res.once('close', leave);
    endWhenRefused({ deps, authenticate }, principal, req, res);
    const waiting: OutboxRow[] = [];
    let wake: () => void = () => undefined;
    const { from: live, stop } = await deps.feed.subscribe(principal.organisation_id, (rows) => {
      if (waiting.length > MOST_WAITING) res.destroy();
      else waiting.push(...rows);
      wake();
    });
    const heartbeat = setInterval(() => res.write(': here\n\n'), HEARTBEAT_MS).unref();
    const forget = deps.feed.onEnd(() => res.end());
    res.once('close', () => {
      clearInterval(heartbeat);
      forget();
      stop();
      wake();
    });
    res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    res.flushHeaders();
    res.write('retry: 1000\n\n');

    let last = from ?? live;
    const tell = async (rows: readonly OutboxRow[]): Promise<void> => {
      for (const row of rows) {
        if (!isAfter(row, last)) continue;
        last = row;
        if (!topics.has(row.topic) || !concerns(principal, row)) continue;
        if (row.topic === 'profiles') deps.forgetProfiles?.(principal.organisation_id);
        const text = `id: ${formatCursor(row)}\nevent: ${row.topic}\ndata: ${JSON.stringify(row.data)}\n\n`;
        if (!res.write(text)) await drained(res);
      }
    };
    if (from) await catchUp(last, tell);
    while (!res.destroyed && !res.writableEnded) {
      if (waiting.length > 0) await tell(waiting.splice(0));
      else await new Promise<void>((resolve) => (wake = resolve));
    }

    async function catchUp(cursor: OutboxCursor, write: typeof tell): Promise<void> {
      for (let next = cursor; !res.destroyed;) {
        const rows = await deps.database.inOrganisation(principal.organisation_id, (sql) =>
          outboxAfter(sql, next, CATCH_UP),
        );
        await write(rows);
        next = rows.at(-1) ?? next;
        if (rows.length < CATCH_UP) return;
      }
    }
  });
}
