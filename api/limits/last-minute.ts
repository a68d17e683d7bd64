const SECONDS = 60;

/** Counts what happened in the last sixty seconds, in constant memory. */
export class LastMinute {
  private readonly bySecond = Array.from({ length: SECONDS }, () => ({ second: 0, count: 0 }));

  add(now = Date.now()): void {
    const second = Math.floor(now / 1000);
    const bucket = this.bySecond[second % SECONDS];
    if (!bucket) return;
    if (bucket.second !== second) Object.assign(bucket, { second, count: 0 });
    bucket.count += 1;
  }

  get count(): number {
    const oldest = Math.floor(Date.now() / 1000) - SECONDS;
    return this.bySecond.reduce((sum, { second, count }) => (second > oldest ? sum + count : sum), 0);
  }
}
