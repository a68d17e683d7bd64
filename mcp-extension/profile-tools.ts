import { createHash } from 'node:crypto';

import { z } from 'zod';

import { whoAmI } from '../contracts/agents.ts';
import type { Operation } from '../contracts/operation.ts';
import { getOwnProfile } from '../contracts/profiles.ts';
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

/** What is known of a caller's tools. */
interface Kept {
  readonly until: number;
  readonly tools: Promise<readonly Operation[]>;
  /** Its profile may have changed: a list asks again. */
  readonly changed?: boolean;
}

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
  const kept = new Map<string, Kept>();
  const ask = async (call: CallApi, fingerprint: string): Promise<readonly Operation[]> => {
    try {
      return await allowedTools(call, offered);
    } catch {
      kept.set(fingerprint, { until: Date.now() + KEPT_FAILURE_MS, tools: Promise.resolve(offered) });
      return offered;
    }
  };
  const known = (key: string): Kept | undefined => {
    const one = kept.get(fingerprintOf(key));
    return one && one.until > Date.now() ? one : undefined;
  };
  return {
    listed: (call, key) => {
      if (key === undefined) return Promise.resolve(offered);
      const present = known(key);
      if (present && present.changed !== true) return present.tools;
      if (kept.size >= MOST_KEYS) kept.clear();
      const tools = ask(call, fingerprintOf(key));
      kept.set(fingerprintOf(key), { until: Date.now() + KEPT_MS, tools });
      return tools;
    },
    forget: (key) => {
      const one = known(key);
      // Its client is told to list anew; until it has, what was known goes on for calls.
      if (one) kept.set(fingerprintOf(key), { ...one, changed: true, until: Date.now() + KEPT_FAILURE_MS });
    },
    callable: (key) => (key === undefined ? undefined : known(key)?.tools) ?? Promise.resolve(offered),
  };
}

const fingerprintOf = (key: string): string => createHash('sha256').update(key).digest('base64');

async function allowedTools(call: CallApi, offered: readonly Operation[]): Promise<readonly Operation[]> {
  const options = { signal: AbortSignal.timeout(PATIENCE_MS) };
  const { kind } = await call(whoAmI, {}, options);
  // Profiles hold the agents of a role; people may do what policy lets them.
  if (kind !== 'agent') return offered;
  const { extensions } = Allowance.parse((await call(getOwnProfile, {}, options)).profile);
  const own = extensions.find(({ name }) => name === 'switchboard');
  if (!own?.enabled) return [];
  return own.tools === undefined ? offered : offered.filter(({ name }) => own.tools?.includes(name));
}
