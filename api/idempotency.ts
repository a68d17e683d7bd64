import { setTimeout } from 'node:timers/promises';

import canonicalize from 'canonicalize';

import type { Json } from '../contracts/json.ts';
import type { Principal } from '../contracts/principal.ts';
import { answeredOrTakenOver, findAnswered, keepAnswer, reserve, setFree } from '../db/idempotency.ts';
import type { KeyOf, Reservation } from '../db/idempotency.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const FIRST_ANSWERS_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 50;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}
/** A request with an idempotency key: the id it stands for, and the answer it was given before, if any. */
export interface Repeatable {
  readonly id: string;
  readonly answered: Answer | null;
  keep(answer: Answer): Promise<void>;
  /** Lets the next request with the key go on in the place of this one. */
  release(): Promise<void>;
}
interface Keyed {
  readonly operation: string;
  readonly key: string;
  readonly input: unknown;
  readonly id: string;
  /** Whether a repetition waits while the first request is under way. */
  readonly waits: boolean;
}

/** The answer that was given to the same request before; reserves nothing. */
export async function keptAnswer(
  { database, envelope }: ApiDeps,
  { organisation_id, id }: Principal,
  { operation, key, input }: Pick<Keyed, 'operation' | 'input'> & { readonly key: string | undefined },
): Promise<Answer | undefined> {
  if (key === undefined || !KEY.test(key)) return undefined;
  const keyOf: KeyOf = { principal_id: id, operation, key };
  const row = await database.inOrganisation(organisation_id, (sql) => findAnswered(sql, keyOf));
  const fingerprint = envelope.fingerprint(organisation_id, canonicalize(input) ?? '');
  if (!row?.sealed_response || row.status === null || !fingerprint.equals(row.body_hash)) return undefined;
  return { status: row.status, body: envelope.open(organisation_id, row.resource_id, row.sealed_response) };
}

/** Reserves the key for this request. The same key with another body is refused; answers are sealed where they are kept. */
export async function reserveKey(deps: ApiDeps, principal: Principal, request: Keyed): Promise<Repeatable> {
  if (!KEY.test(request.key))
    throw new ApiError({
      code: 'invalid_input',
      detail: 'Idempotency-Key: must be 1 to 255 visible ASCII characters.',
    });
  const { database, envelope } = deps;
  const { organisation_id } = principal;
  const keyOf: KeyOf = { principal_id: principal.id, operation: request.operation, key: request.key };
  const fingerprint = envelope.fingerprint(organisation_id, canonicalize(request.input) ?? '');
  const reserved = await database.inOrganisation(organisation_id, (sql) =>
    reserve(sql, keyOf, fingerprint, request.id),
  );
  if (!fingerprint.equals(reserved.body_hash))
    throw new ApiError({
      code: 'idempotency_key_reused',
      detail: 'This Idempotency-Key was used for another request.',
    });
  const row = request.waits && !reserved.fresh ? await firstOf(deps, organisation_id, keyOf) : reserved;
  const answered =
    row.status === null || row.sealed_response === null
      ? null
      : { status: row.status, body: envelope.open(organisation_id, row.resource_id, row.sealed_response) };
  return {
    id: row.resource_id,
    answered,
    async keep({ status, body }) {
      const sealed = envelope.seal(organisation_id, row.resource_id, body as Json);
      await database.inOrganisation(organisation_id, (sql) => keepAnswer(sql, keyOf, status, sealed));
    },
    async release() {
      if (request.waits) await database.inOrganisation(organisation_id, (sql) => setFree(sql, keyOf));
    },
  };
}

/** Waits for the answer to the request that holds the key; one that was given up leaves its place to this one. */
async function firstOf({ database }: ApiDeps, organisationId: string, keyOf: KeyOf): Promise<Reservation> {
  const deadline = Date.now() + FIRST_ANSWERS_WITHIN_MS;
  for (;;) {
    const row = await database.inOrganisation(organisationId, (sql) => answeredOrTakenOver(sql, keyOf));
    if (row) return row;
    if (Date.now() > deadline)
      throw new ApiError({
        code: 'unavailable',
        detail: 'The first request with this Idempotency-Key is still under way.',
      });
    await setTimeout(LOOK_AGAIN_MS);
  }
}
