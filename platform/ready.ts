interface ReadyMessage {
  readonly switchboard: 'ready';
}

/** Tells the process that started this one that it serves now; without such a parent nothing happens. */
export function reportReady(): void {
  if (process.send === undefined || !process.connected) return;
  const message: ReadyMessage = { switchboard: 'ready' };
  process.send(message, undefined, undefined, () => undefined);
}

/** Whether a message from a child is its report of being ready. */
export const isReadyMessage = (message: unknown): message is ReadyMessage =>
  typeof message === 'object' && message !== null && 'switchboard' in message && message.switchboard === 'ready';
