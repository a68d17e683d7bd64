import { inspect } from 'node:util';

/** A failure as AVA's worker sends it; the reporter is also given plain errors, which lack most of it. */
export interface Failure {
  readonly type?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly formattedDetails?: readonly { readonly label: string; readonly formatted: string }[];
  readonly originalError?: unknown;
}
interface ReportedEvent {
  readonly err?: Failure | null;
}
type Write = (event: ReportedEvent, ...more: readonly unknown[]) => void;

/** What is used of AVA's TAP reporter: it numbers the lines and counts the crashes itself. */
export interface Reporter {
  i: number;
  crashCount: number;
  writeTest: Write;
  writeCrash: Write;
}

/**
 * Lets the reporter write every failure. As it comes, it hands errors to a YAML writer that throws at what YAML has no
 * word for (a property that is undefined, a symbol), and reads `originalError` of errors that have none (time-outs,
 * process.exit); either ends the run, and all that was still to come is lost.
 */
export function makeTapSafe(reporter: Reporter): void {
  reporter.writeTest = safely(reporter.writeTest);
  reporter.writeCrash = safely(reporter.writeCrash);
}

const safely = (write: Write): Write =>
  function (this: Reporter, event, ...more) {
    const { i, crashCount } = this;
    try {
      write.call(this, event, ...more);
    } catch {
      Object.assign(this, { i, crashCount });
      write.call(this, { ...event, err: asText(event.err) }, ...more);
    }
  };

/** The failure as one text: the form in which AVA reports what is no error at all. */
function asText(failure: Failure | null | undefined): Failure & { readonly formattedError: string } {
  const { message, stack, formattedDetails = [], originalError } = failure ?? {};
  const parts = [
    stack ?? message ?? 'failed without an error',
    ...formattedDetails.map(({ label, formatted }) => `${label}\n${formatted}`),
    ...(stack === undefined && originalError !== undefined ? [inspect(originalError)] : []),
  ];
  return { type: 'unknown', formattedError: parts.join('\n') };
}
