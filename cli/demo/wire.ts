import type { Transport } from '@modelcontextprotocol/client';

type Message = Parameters<Transport['send']>[0];

/** A connection of an MCP client that keeps the JSON text of every message its client received. */
export class RecordingTransport implements Transport {
  readonly received: string[] = [];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: Message) => void;
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  start(): Promise<void> {
    this.#inner.onclose = () => this.onclose?.();
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onmessage = (message) => {
      // Written anew, so that a character escaped on the wire cannot hide a value from a search.
      this.received.push(JSON.stringify(message));
      this.onmessage?.(message);
    };
    return this.#inner.start();
  }

  send(message: Message): Promise<void> {
    return this.#inner.send(message);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
