import canonicalize from 'canonicalize';

import type { Json } from '../contracts/json.ts';
import type { Principal } from '../contracts/principal.ts';
import { keepAnswer, reserve } from '../db/idempotency.ts';
import type { KeyOf } from '../db/idempotency.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}
/** A request with an idempotency key: the id it stands for, and the answer it was given before, if any. */
export interface Repeatable {
  readonly id: string;
  readonly answered: Answer | null;
  keep(answer: Answer): Promise<void>;
}

/** Reserves the key for this request. The same key with another body is refused; answers are sealed where they are kept. */
export async function reserveKey(
  { database, envelope }: ApiDeps,
  principal: Principal,
  request: { readonly operation: string; readonly key: string; readonly input: unknown; readonly id: string },
): Promise<Repeatable> {
  if (!KEY.test(request.key))
    throw new ApiError({
      code: 'invalid_input',
      detail: 'Idempotency-Key: must be 1 to 255 visible ASCII characters.',
    });
  const { organisation_id } = principal;
  const keyOf: KeyOf = { principal_id: principal.id, operation: request.operation, key: request.key };
  const fingerprint = envelope.fingerprint(organisation_id, canonicalize(request.input) ?? '');
  const row = await database.inOrganisation(organisation_id, (sql) => reserve(sql, keyOf, fingerprint, request.id));
  if (!fingerprint.equals(row.body_hash))
    throw new ApiError({
      code: 'idempotency_key_reused',
      detail: 'This Idempotency-Key was used for another request.',
    });
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
  };
}
