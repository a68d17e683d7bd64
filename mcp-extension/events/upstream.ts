import { setTimeout as sleep } from 'node:timers/promises';

import { createParser } from 'eventsource-parser';

import type { Logger } from '../../platform/log.ts';
import { asTheyAre } from '../credentials.ts';
import type { Credentials } from '../credentials.ts';
import { urisOf } from './resource-uris.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** The API says that it is there every 15 seconds; after three such times of silence the connection is dead. */
const SILENCE_MS = 45_000;

/** Hears which resources changed; `all` where events may have been missed. */
export type Listener = (changed: readonly string[] | 'all') => void;

/** Where the stream is and how it is kept. */
export interface UpstreamOptions {
  readonly apiUrl: string;
  readonly key: string;
  /** What the API is called with for that key; the key itself unless given. */
  readonly credentials?: Credentials;
  readonly log: Pick<Logger, 'warn'>;
  readonly firstWaitMs?: number;
  readonly silenceMs?: number;
}

/** One connection to the API's /stream with one key. It comes back by itself, from the last event, until it is closed. */
export class Upstream {
  private readonly options: UpstreamOptions;
  private readonly tell: Listener;
  private readonly closed = new AbortController();
  private lastId: string | undefined;
  private connectedBefore = false;
  private failures = 0;
  /** The API does not know the key: it is asked seldom, in case it comes to know it. */
  private unknownKey = false;

  constructor(options: UpstreamOptions, tell: Listener) {
    this.options = options;
    this.tell = tell;
    void this.run();
  }

  close(): void {
    this.closed.abort();
  }

  private async run(): Promise<void> {
    const { signal } = this.closed;
    while (!signal.aborted) {
      await this.connect().catch((error: unknown) => this.failed(error));
      // Ends early, and with it the loop, when the stream is closed.
      await sleep(this.wait(), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private wait(): number {
    const first = this.options.firstWaitMs ?? FIRST_WAIT_MS;
    const wait = this.unknownKey
      ? LONGEST_WAIT_MS
      : Math.min(first * 2 ** Math.min(this.failures, 10), LONGEST_WAIT_MS);
    return wait * (0.5 + Math.random());
  }

  private failed(error: unknown): void {
    if (this.closed.signal.aborted) return;
    this.failures += 1;
    // Once, not at every attempt of a long outage.
    if (this.failures === 1) this.options.log.warn({ because: String(error).slice(0, 200) }, 'no events from the API');
  }

  private async connect(): Promise<void> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([attempt.signal, this.closed.signal]);
    const alive = setTimeout(() => attempt.abort(), this.options.silenceMs ?? SILENCE_MS).unref();
    try {
      const response = await fetch(`${this.options.apiUrl.replace(/\/+$/, '')}/stream`, {
        headers: await this.headers(),
        redirect: 'manual',
        signal,
      });
      if (!response.ok || !response.body) await this.refused(response);
      else await this.read(response.body, () => alive.refresh());
    } finally {
      clearTimeout(alive);
    }
  }

  private async headers(): Promise<Record<string, string>> {
    const { key, credentials = asTheyAre } = this.options;
    const resume = this.lastId === undefined ? {} : { 'last-event-id': this.lastId };
    return { accept: 'text/event-stream', authorization: `Bearer ${await credentials(key)}`, ...resume };
  }

  private async refused(response: Response): Promise<never> {
    await response.body?.cancel();
    this.unknownKey = response.status === 401 || response.status === 403;
    // Another database would know our last event as little as a client's invention: begin anew.
    if (response.status === 400) this.lastId = undefined;
    throw new Error(`/stream answered ${String(response.status)}`);
  }

  private async read(body: ReadableStream<Uint8Array>, heard: () => void): Promise<void> {
    if (this.connectedBefore && this.lastId === undefined) this.tell('all');
    this.connectedBefore = true;
    this.failures = 0;
    this.unknownKey = false;
    const parser = createParser({
      onEvent: ({ id, data }) => {
        this.lastId = id ?? this.lastId;
        const changed = urisOf(data);
        if (changed.length > 0) this.tell(changed);
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      heard();
      parser.feed(decoder.decode(chunk, { stream: true }));
    }
  }
}
