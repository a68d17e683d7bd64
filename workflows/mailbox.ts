import { condition, currentUpdateInfo, uuid4, workflowInfo } from '@temporalio/workflow';

/** A message that waits for the main loop, and the promise of whoever posted it. */
export interface Letter<M, R> {
  /** Names the message: the update's id, or which signal of the run it is. */
  readonly id: string;
  readonly message: M;
  readonly answer: (result: R) => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Messages of handlers, taken one at a time by the workflow's main loop: handlers of updates interleave at every await,
 * so whatever changes state and writes it down has to stand in one queue.
 */
export class Mailbox<M, R> {
  private readonly letters: Letter<M, R>[] = [];
  private refusal: (() => Error) | undefined;
  private signals = 0;

  /** Queues a message; resolves or rejects when the main loop has dealt with it. */
  post(message: M): Promise<R> {
    if (this.refusal) return Promise.reject(this.refusal());
    const id = currentUpdateInfo()?.id ?? uuid4();
    return new Promise((answer, refuse) => {
      this.letters.push({ id, message, answer, refuse });
    });
  }

  /** Queues a message nobody waits for (signals): a refusal must not fail the workflow. */
  drop(message: M, onRefusal: (error: Error) => void): void {
    this.signals += 1;
    const id = `${workflowInfo().runId}:signal:${String(this.signals)}`;
    this.letters.push({ id, message, answer: () => undefined, refuse: onRefusal });
  }

  /** Refuses what still waits and whatever comes: nobody will read it, and nobody may wait for ever. */
  close(refusal: () => Error): void {
    this.refusal = refusal;
    for (const letter of this.letters.splice(0)) letter.refuse(refusal());
  }

  isEmpty(): boolean {
    return this.letters.length === 0;
  }

  /** The next message, or undefined once so many milliseconds have passed; null waits for ever. */
  async next(milliseconds: number | null): Promise<Letter<M, R> | undefined> {
    if (milliseconds === null) await condition(() => !this.isEmpty());
    else if (milliseconds > 0) await condition(() => !this.isEmpty(), milliseconds);
    return this.letters.shift();
  }
}
