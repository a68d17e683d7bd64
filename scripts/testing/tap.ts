/** How one test ended, as far as TAP tells; `details` follow a failure. */
export interface TapResult {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly title: string;
  readonly details: readonly string[];
}

/** What a run of tests came to. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The counts of several runs together. */
export const sumOf = (all: readonly Counts[]): Counts => ({
  passed: all.reduce((sum, one) => sum + one.passed, 0),
  failed: all.reduce((sum, one) => sum + one.failed, 0),
  skipped: all.reduce((sum, one) => sum + one.skipped, 0),
});

/** The line that a run of tests ends with. */
export const summaryOf = ({ passed, failed, skipped }: Counts): string =>
  `${String(passed)} passed, ${String(failed)} failed${skipped > 0 ? `, ${String(skipped)} skipped` : ''}`;

const RESULT = /^(ok|not ok) \d+(?: - (.*?))?(?: # (SKIP|TODO))?$/;
// AVA ends a comment with a test's log lines; a test that finds out too late that it cannot run says so there.
const SKIPPED_BY_LOG = /^# {3}skipped: /;

/** Reads AVA's TAP output line by line; a result is told once its details are complete. */
export class TapReader {
  private readonly onResult: (result: TapResult) => void;
  private current: { outcome: TapResult['outcome']; title: string; details: string[] } | undefined;
  private reported = 0;
  private readonly found = { passed: 0, failed: 0, skipped: 0 };
  private complete = false;

  constructor(onResult: (result: TapResult) => void) {
    this.onResult = onResult;
  }

  line(text: string): void {
    const result = RESULT.exec(text);
    if (result) this.begin(result);
    else if (text.startsWith('1..')) this.finish();
    else if (text.startsWith('# fail ')) this.reported = Number(text.slice('# fail '.length));
    else this.detail(text);
  }

  /** The counts, once the output has ended; a run that broke off, or ended badly without a word, has failed. */
  end(exitCode: number | null): Counts {
    this.flush();
    const { passed, skipped } = this.found;
    // AVA counts tests that a crash left unfinished without a line of their own.
    const failed = Math.max(this.found.failed, this.reported);
    const broken = !this.complete || (exitCode !== 0 && failed === 0);
    return { passed, failed: broken ? failed + 1 : failed, skipped };
  }

  /** What follows the plan are totals, not details of the last test. */
  private finish(): void {
    this.complete = true;
    this.flush();
  }

  private begin([, verdict, title = '', directive]: RegExpExecArray): void {
    this.flush();
    const outcome = directive !== undefined ? 'skipped' : verdict === 'ok' ? 'passed' : 'failed';
    this.current = { outcome, title, details: [] };
  }

  private detail(text: string): void {
    if (this.current === undefined || text === '') return;
    if (this.current.outcome === 'passed' && SKIPPED_BY_LOG.test(text)) {
      this.current.outcome = 'skipped';
      this.current.title += ` (${text.slice('#   '.length)})`;
    }
    this.current.details.push(text);
  }

  private flush(): void {
    if (this.current === undefined) return;
    this.found[this.current.outcome] += 1;
    this.onResult(this.current);
    this.current = undefined;
  }
}
