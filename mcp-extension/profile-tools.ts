import { createHash } from 'node:crypto';

import { z } from 'zod';

import { whoAmI } from '../contracts/agents.ts';
import type { Operation } from '../contracts/operation.ts';
import { getProfile } from '../contracts/profiles.ts';
import type { CallApi } from './api-client.ts';

const KEPT_MS = 60_000;
const KEPT_FAILURE_MS = 5_000;
const PATIENCE_MS = 10_000;
const MOST_KEYS = 5_000;

/** The part of a profile that says which tools its agents have. */
const Allowance = z.object({
  extensions: z.array(
    z.object({ name: z.string(), enabled: z.boolean().default(true), tools: z.array(z.string()).optional() }),
  ),
});

/** The tools of a caller: those that the process offers and the profile of the caller's role allows. */
export interface ToolsFor {
  /** As the API says, asked once a minute and key. */
  listed(call: CallApi, key: string | undefined): Promise<readonly Operation[]>;
  /** As far as it is known without asking: no call of a tool waits for this. */
  callable(key: string | undefined): Promise<readonly Operation[]>;
  /** Asks the API again the next time, since the profile may have changed. */
  forget(key: string): void;
}

/**
 * Limits offered tools by profile (MCP-1). This is convenience: the API itself refuses what a profile does not allow.
 * So while it cannot be asked, all tools of the process are offered.
 */
export function limitByProfile(offered: readonly Operation[]): ToolsFor {
  const kept = new Map<string, { until: number; tools: Promise<readonly Operation[]> }>();
  const ask = async (call: CallApi, fingerprint: string): Promise<readonly Operation[]> => {
    try {
      return await allowedTools(call, offered);
    } catch {
      kept.set(fingerprint, { until: Date.now() + KEPT_FAILURE_MS, tools: Promise.resolve(offered) });
      return offered;
    }
  };
  const known = (key: string): Promise<readonly Operation[]> | undefined => {
    const one = kept.get(fingerprintOf(key));
    return one && one.until > Date.now() ? one.tools : undefined;
  };
  return {
    listed: (call, key) => {
      if (key === undefined) return Promise.resolve(offered);
      const present = known(key);
      if (present) return present;
      if (kept.size >= MOST_KEYS) kept.clear();
      const tools = ask(call, fingerprintOf(key));
      kept.set(fingerprintOf(key), { until: Date.now() + KEPT_MS, tools });
      return tools;
    },
    forget: (key) => void kept.delete(fingerprintOf(key)),
    callable: (key) => (key === undefined ? undefined : known(key)) ?? Promise.resolve(offered),
  };
}

const fingerprintOf = (key: string): string => createHash('sha256').update(key).digest('base64');

async function allowedTools(call: CallApi, offered: readonly Operation[]): Promise<readonly Operation[]> {
  const options = { signal: AbortSignal.timeout(PATIENCE_MS) };
  const { kind, role } = await call(whoAmI, {}, options);
  // Profiles hold the agents of a role; people may do what policy lets them.
  if (kind !== 'agent') return offered;
  const { extensions } = Allowance.parse(await call(getProfile, { role }, options));
  const own = extensions.find(({ name }) => name === 'switchboard');
  if (!own?.enabled) return [];
  return own.tools === undefined ? offered : offered.filter(({ name }) => own.tools?.includes(name));
}
