/** Things that somebody may have open so many of at once, in this process. */
export class Slots {
  private readonly open = new Map<string, number>();

  /** How many are open. */
  count(key: string): number {
    return this.open.get(key) ?? 0;
  }

  /** Opens one more; answers how to close it, which may be called twice. */
  enter(key: string): () => void {
    this.open.set(key, this.count(key) + 1);
    let entered = true;
    return () => {
      if (!entered) return;
      entered = false;
      const left = this.count(key) - 1;
      if (left > 0) this.open.set(key, left);
      else this.open.delete(key);
    };
  }
}
