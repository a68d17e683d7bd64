import type { Config } from '../../platform/config.ts';

/** What stands behind `switchboard audit <command>`. */
export interface AuditOptions {
  readonly organisation?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly file?: string | undefined;
  readonly keys?: string | undefined;
  readonly out?: string | undefined;
  readonly verify?: string | undefined;
  readonly days?: string | undefined;
  readonly operands: readonly string[];
  readonly config: Config;
}
