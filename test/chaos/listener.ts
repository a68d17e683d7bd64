import { setTimeout as sleep } from 'node:timers/promises';

import { EventSourceParserStream } from 'eventsource-parser/stream';

/** A client of the stream that comes back after every interruption, where it was. */
export interface Listener {
  /** Types and subjects of all events so far, in the order they came; an event may come twice. */
  readonly heard: { readonly type: string; readonly subject: string }[];
  /** How often it had to come back. */
  readonly returns: () => number;
  stop(): Promise<void>;
}

const SILENCE_MS = 20_000;
const RETURN_MS = 250;

/** Listens as somebody to all topics. */
export function listen(apiUrl: string, key: string): Listener {
  const stopped = new AbortController();
  const heard: { type: string; subject: string }[] = [];
  let last = '';
  let returns = -1;

  const once = async (): Promise<void> => {
    const silence = new AbortController();
    const alarm = setTimeout(() => silence.abort(), SILENCE_MS);
    const headers = { authorization: `Bearer ${key}`, ...(last !== '' && { 'last-event-id': last }) };
    const signal = AbortSignal.any([stopped.signal, silence.signal]);
    try {
      const response = await fetch(`${apiUrl}/stream`, { headers, signal });
      if (!response.ok || !response.body) return;
      const onComment = (): void => void alarm.refresh();
      const events = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream({ onComment }));
      for await (const { id, data } of events) {
        alarm.refresh();
        const event = JSON.parse(data) as Record<string, unknown>;
        heard.push({ type: String(event['type']), subject: String(event['id']) });
        if (id !== undefined) last = id;
      }
    } finally {
      clearTimeout(alarm);
    }
  };

  const done = (async () => {
    while (!stopped.signal.aborted) {
      returns += 1;
      await once().catch(() => undefined);
      await sleep(RETURN_MS);
    }
  })();
  return {
    heard,
    returns: () => returns,
    stop: async () => {
      stopped.abort();
      await done;
    },
  };
}
