import { ERRORS } from '../contracts/errors.ts';
import type { ErrorKind } from '../contracts/errors.ts';
import type { Json } from '../contracts/json.ts';
import { putSealed, removeContent } from '../db/contents.ts';
import { contentIdOf } from './call.ts';
import type { Call } from './call.ts';
import type { ApiDeps } from './deps.ts';
import { toApiError } from './errors.ts';

/** What a refusal drops: content still sealed, or masked too, where all that it belonged to was never created. */
type Dropped = 'sealed' | 'all';

/** Keeps words and data of a request sealed until a workflow masks them; workflows get only the id. */
async function storeContent({ database, envelope }: ApiDeps, call: Call, value: unknown): Promise<string> {
  const id = contentIdOf(call);
  const { organisation_id } = call.principal;
  const sealed = envelope.seal(organisation_id, id, JSON.parse(JSON.stringify(value)) as Json);
  await database.inOrganisation(organisation_id, (sql) => putSealed(sql, id, sealed));
  return id;
}

/** Drops content that no workflow took: clear text of what was refused is not kept. */
const dropContent = ({ database }: ApiDeps, { principal }: Call, id: string, dropped: Dropped): Promise<object[]> =>
  database.inOrganisation(principal.organisation_id, (sql) => removeContent(sql, id, dropped === 'all'));

/** Refused for good; after a time-out the workflow may still come to what was sent. */
function isRefusal(error: unknown): boolean {
  const refusal = toApiError(error);
  const kind: ErrorKind | undefined = refusal && ERRORS[refusal.code];
  return kind !== undefined && kind.status < 500 && kind.retryable !== true;
}

/** Keeps content for a workflow that is then asked to use it, and drops it again where that is refused. */
export async function withContent<R>(
  deps: ApiDeps,
  call: Call,
  value: unknown,
  use: (content: string) => Promise<R>,
  dropped: Dropped = 'sealed',
): Promise<R> {
  const content = await storeContent(deps, call, value);
  try {
    return await use(content);
  } catch (error) {
    if (isRefusal(error)) await dropContent(deps, call, content, dropped);
    throw error;
  }
}

/** The same for words that a request may come without. */
export const withOptionalContent = <R>(
  deps: ApiDeps,
  call: Call,
  value: unknown,
  use: (content: string | null) => Promise<R>,
): Promise<R> => (value === undefined || value === null ? use(null) : withContent(deps, call, value, use));
