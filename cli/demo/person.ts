import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Operation } from '../../contracts/operation.ts';
import { Refused } from './actor.ts';
import type { Actor } from './actor.ts';
import type { Member } from './members.ts';

/** How long a call is repeated while the API is not there. */
const REPEAT_FOR_MS = 60_000;

/** A person, who acts over REST as whoever signed in. */
export interface Person extends Actor {
  readonly kind: 'user';
}

/** Signs a person in. */
export function openPerson(
  { id, name, role, token }: Pick<Member, 'id' | 'name' | 'role' | 'token'>,
  apiUrl: string,
): Person {
  return {
    kind: 'user',
    id,
    name,
    role,
    call: async (operation, input) => {
      const answer = await send(requestOf(operation, { ...input }, apiUrl, await token()));
      const body: unknown = await answer.json();
      if (!answer.ok) throw new Refused(operation.name, body as Record<string, unknown>);
      return operation.output.parse(operation.bareList ? { [operation.bareList]: body, next_cursor: null } : body);
    },
  };
}

function requestOf(operation: Operation, input: Record<string, unknown>, apiUrl: string, token: string): Request {
  const target = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(input[name]);
    Reflect.deleteProperty(input, name);
    return encodeURIComponent(value);
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  if (operation.method === 'get') {
    const query = new URLSearchParams(
      Object.entries(input).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return new Request(`${apiUrl}${target}?${query.toString()}`, { headers });
  }
  return new Request(apiUrl + target, {
    method: operation.method.toUpperCase(),
    headers: { ...headers, 'idempotency-key': randomUUID() },
    body: JSON.stringify(input),
  });
}

/** Sends a request, and again with the same idempotency key where nothing answered. */
async function send(request: Request): Promise<Response> {
  const deadline = Date.now() + REPEAT_FOR_MS;
  for (;;) {
    try {
      const answer = await fetch(request.clone());
      if (answer.status !== 503 || Date.now() > deadline) return answer;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(250);
  }
}
