import type { JSONRPCMessage, MessageExtraInfo, Transport, TransportSendOptions } from '@modelcontextprotocol/server';

import { listenedUris } from './listen-bus.ts';

/**
 * A transport that notices subscriptions/listen and its end. Over stdio the SDK keeps these to itself and sends on
 * what the server announces; this is how the server knows when somebody listens, and for what.
 */
export class ListeningTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  private readonly inner: Transport;
  private readonly changed: (uris: ReadonlySet<string>) => void;
  private readonly listening = new Map<unknown, readonly string[]>();

  constructor(inner: Transport, changed: (uris: ReadonlySet<string>) => void) {
    this.inner = inner;
    this.changed = changed;
  }

  async start(): Promise<void> {
    this.inner.onclose = () => {
      this.listening.clear();
      this.tell();
      this.onclose?.();
    };
    this.inner.onerror = (error) => this.onerror?.(error);
    this.inner.onmessage = (message, extra) => {
      this.notice(message);
      this.onmessage?.(message, extra);
    };
    await this.inner.start();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    return this.inner.send(message, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private notice(message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    if ('id' in message) {
      const uris = listenedUris(message);
      if (uris.length === 0) return;
      this.listening.set(message.id, uris);
    } else if (message.method !== 'notifications/cancelled' || !this.listening.delete(message.params?.['requestId'])) {
      return;
    }
    this.tell();
  }

  private tell(): void {
    this.changed(new Set([...this.listening.values()].flat()));
  }
}
