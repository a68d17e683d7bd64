import type { OutboxCursor, OutboxRow } from '../../db/outbox.ts';
import { outboxAfter } from '../../db/outbox.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';

const MISSED = 1_000;

/** Something that may happen while a request is held open. */
export interface News {
  /** Settles when it happened, the client went away, the process stops, or the time is over. */
  readonly happened: Promise<void>;
  stop(): void;
}

/** Listens for rows of the outbox from now on, or from a cursor; call `stop` in the end. */
export async function listenForNews(
  { feed, database }: ApiDeps,
  { principal: { organisation_id }, signal }: Call,
  isNews: (row: OutboxRow) => boolean,
  { milliseconds, after }: { readonly milliseconds: number; readonly after?: OutboxCursor | undefined },
): Promise<News> {
  let settle: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => (settle = resolve));
  const told = (rows: readonly OutboxRow[]): void => {
    if (rows.some(isNews)) settle();
  };
  const { stop: leave } = await feed.subscribe(organisation_id, told);
  const timer = setTimeout(settle, milliseconds);
  const forget = feed.onEnd(settle);
  signal.addEventListener('abort', settle);
  if (signal.aborted) settle();
  const stop = (): void => {
    clearTimeout(timer);
    forget();
    leave();
    signal.removeEventListener('abort', settle);
  };
  try {
    if (after) told(await database.inOrganisation(organisation_id, (sql) => outboxAfter(sql, after, MISSED)));
  } catch (error) {
    stop();
    throw error;
  }
  return { happened, stop };
}
