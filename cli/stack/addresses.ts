import { reachableHost } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';

/** Where the parts of a running stack are found. */
export interface Addresses {
  readonly api: string;
  readonly docs: string;
  readonly mcp: string;
  /** host:port */
  readonly temporal: string;
  /** Absent where Temporal runs elsewhere. */
  readonly temporalUi: string | undefined;
}

/** The addresses of a stack whose ports are settled; `embedded` says whether it brought its own Temporal. */
export function addressesOf(config: Config & { temporalAddress: string }): Addresses {
  const own = config.layout === 'single' && config.temporalAddress === `127.0.0.1:${String(config.temporalPort)}`;
  return {
    api: config.publicUrl,
    docs: `${config.publicUrl}/docs`,
    mcp: `http://${reachableHost(config.apiHost)}:${String(config.mcpPort)}/mcp`,
    temporal: config.temporalAddress,
    temporalUi: own ? `http://127.0.0.1:${String(config.temporalUiPort)}` : undefined,
  };
}
