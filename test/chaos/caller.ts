import { setTimeout as sleep } from 'node:timers/promises';

import type { Body } from '../support/caller.ts';

/** An answer that counts: success, or a refusal that repeating does not change. */
export interface Settled<T = Body> {
  readonly status: number;
  readonly body: T;
}

/** What clients met on the way. */
export interface Troubles {
  /** Requests that were repeated, by why: a status, or `network`. */
  readonly repeated: Map<string, number>;
  /** Answers that no fault excuses: an unexpected error of the program. */
  readonly bugs: string[];
}

const ANSWER_WITHIN_MS = 25_000;
const GIVE_UP_AFTER_MS = 300_000;
const PAUSES_MS = [100, 250, 500, 1_000, 2_000] as const;
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

export const newTroubles = (): Troubles => ({ repeated: new Map(), bugs: [] });

const attempt = async <T>(url: string, init: RequestInit): Promise<Settled<T> | undefined> => {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return { status: response.status, body: (await response.json()) as T };
  } catch {
    return undefined;
  }
};

/** A client as it should be: it repeats what may pass, with the same idempotency key, and nothing else. */
export class PatientCaller {
  readonly #apiUrl: string;
  readonly #headers: Record<string, string>;
  readonly #troubles: Troubles;

  constructor(apiUrl: string, key: string, troubles: Troubles) {
    this.#apiUrl = apiUrl;
    this.#headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    this.#troubles = troubles;
  }

  get<T = Body>(path: string): Promise<Settled<T>> {
    return this.#repeat<T>(path, { method: 'GET', headers: this.#headers });
  }

  post(path: string, body: unknown, idempotencyKey: string): Promise<Settled> {
    const headers = { ...this.#headers, 'idempotency-key': idempotencyKey };
    return this.#repeat(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #repeat<T = Body>(path: string, init: RequestInit): Promise<Settled<T>> {
    const deadline = Date.now() + GIVE_UP_AFTER_MS;
    for (let tried = 0; Date.now() < deadline; tried += 1) {
      const answer = await attempt<T>(this.#apiUrl + path, init);
      if (answer && answer.status < 500 && !PASSING.has(answer.status)) return answer;
      this.#count(path, answer);
      await sleep(PAUSES_MS[Math.min(tried, PAUSES_MS.length - 1)]);
    }
    throw new Error(`${init.method ?? ''} ${path} was not answered in ${String(GIVE_UP_AFTER_MS / 1000)} s.`);
  }

  #count(path: string, answer: Settled<unknown> | undefined): void {
    const why = answer === undefined ? 'network' : String(answer.status);
    this.#troubles.repeated.set(why, (this.#troubles.repeated.get(why) ?? 0) + 1);
    if (answer?.status === 500) this.#troubles.bugs.push(`${path}: ${JSON.stringify(answer.body)}`);
  }
}
