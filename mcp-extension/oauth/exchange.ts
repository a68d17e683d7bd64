import { z } from 'zod';

import { ProviderAwayError, SignInNeededError } from '../../platform/sign-in/errors.ts';
import type { TokenSource } from '../../platform/sign-in/refreshing-token.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const TIMEOUT_MS = 10_000;
/** A token with less left than this is exchanged anew. */
const LEAST_LEFT_MS = 30_000;
const MOST_KEPT = 5_000;

const Answer = z.object({ access_token: z.string(), expires_in: z.number() });
const Refusal = z.object({ error: z.string(), error_description: z.string().optional() });

interface Kept {
  readonly token: Promise<string>;
  until: number;
}

/**
 * Exchanges tokens for the MCP server for tokens of the API (RFC 8693): what a client sent is never passed on. Each is
 * exchanged once, and again shortly before the exchanged one ends.
 */
export function createExchange(apiUrl: string, own: TokenSource): (subjectToken: string) => Promise<string> {
  const kept = new Map<string, Kept>();
  const forget = (): void => {
    for (const [subject, { until }] of kept) if (until <= Date.now()) kept.delete(subject);
    if (kept.size >= MOST_KEPT) kept.clear();
  };
  return (subject) => {
    const known = kept.get(subject);
    if (known && known.until > Date.now()) return known.token;
    if (kept.size >= MOST_KEPT) forget();
    const exchanging = ask(apiUrl, subject, own);
    const entry: Kept = { token: exchanging.then(({ access_token }) => access_token), until: Infinity };
    kept.set(subject, entry);
    exchanging.then(
      ({ expires_in }) => (entry.until = Date.now() + expires_in * 1000 - LEAST_LEFT_MS),
      () => kept.delete(subject),
    );
    return entry.token;
  };
}

async function ask(apiUrl: string, subject: string, own: TokenSource): Promise<z.infer<typeof Answer>> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    actor_token: await own.token(),
    actor_token_type: ACCESS_TOKEN,
  });
  const response = await post(`${apiUrl.replace(/\/+$/, '')}/oauth/token`, body);
  const document: unknown = await response.json().catch(() => undefined);
  const answer = Answer.safeParse(document);
  if (response.ok && answer.success) return answer.data;
  const refusal = Refusal.safeParse(document);
  if (response.status === 400 && refusal.success)
    throw new SignInNeededError(
      `The access token was not accepted: ${refusal.data.error_description ?? refusal.data.error}`,
    );
  throw new ProviderAwayError(apiUrl);
}

async function post(url: string, body: URLSearchParams): Promise<Response> {
  try {
    return await fetch(url, { method: 'POST', body, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new ProviderAwayError(url, { cause: error });
  }
}
