import type { Request, Response, Router } from 'express';
import type { z } from 'zod';

import type { IdKind } from '../contracts/ids.ts';
import type { Operation } from '../contracts/operation.ts';
import type { Principal } from '../contracts/principal.ts';
import { newId } from '../platform/ids.ts';
import { requireScope } from './authentication.ts';
import type { Authenticate } from './authentication.ts';
import { checkText } from './body.ts';
import type { Call } from './call.ts';
import type { ApiDeps } from './deps.ts';
import { inputError } from './errors.ts';
import { keptAnswer, reserveKey } from './idempotency.ts';
import type { Answer, Repeatable } from './idempotency.ts';
import type { Entry } from './limits/limits.ts';
import { ApiError } from './problem.ts';
import { checkTraceId } from './trace.ts';

/** What every route needs besides its operation. */
export interface Mounting {
  readonly router: Router;
  readonly deps: ApiDeps;
  readonly authenticate: Authenticate;
}

export type Handler<I extends z.ZodObject, O extends z.ZodType> = (
  input: z.output<I>,
  call: Call,
) => Promise<z.output<O>>;

interface Extras {
  /** What the operation creates; its id is chosen before it exists, so that a repetition finds it. */
  readonly creates?: IdKind;
  /** No workflow tells repetitions apart: a repetition waits for the answer to the first request. */
  readonly waits?: boolean;
  /** How long a caller may have been known, in milliseconds, where nothing comes of it but a sign of life. */
  readonly knownForMs?: number;
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Fields from path, body or query; the path wins nothing: a body that says otherwise is refused. */
function fieldsOf(req: Request, operation: Operation): Record<string, unknown> {
  const carries = operation.method === 'post' || operation.method === 'put';
  const sent = (carries ? req.body : req.query) as Record<string, unknown>;
  if (carries && Object.keys(req.query).length > 0)
    throw new ApiError({ code: 'invalid_input', detail: 'Send the fields in the body, not in the query.' });
  for (const text of [...Object.entries(req.params), ...Object.entries(req.query)].flat(2))
    if (typeof text === 'string') checkText(text);
  for (const [name, value] of Object.entries(req.params))
    if (name in sent && sent[name] !== value)
      throw new ApiError({ code: 'invalid_input', detail: `${name} in the body is not the one in the path.` });
  const ifMatch = operation.ifMatch === undefined ? undefined : req.get('if-match');
  return {
    ...sent,
    ...req.params,
    ...(operation.ifMatch !== undefined && ifMatch !== undefined && { [operation.ifMatch]: ifMatch }),
  };
}

/** Mounts one operation: authenticate, parse, repeat or handle, answer. The only place where a request is parsed. */
export function mount<I extends z.ZodObject, O extends z.ZodType>(
  { router, deps, authenticate }: Mounting,
  operation: Operation<I, O>,
  handle: Handler<I, O>,
  { creates = 'content', waits = false, knownForMs }: Extras = {},
): void {
  router[operation.method](expressPath(operation.path), async (req: Request, res: Response) => {
    const traceId = String(res.locals['traceId']);
    checkTraceId(traceId);
    const principal = await authenticate(req.get('authorization'), knownForMs);
    requireScope(principal, operation.method === 'get' ? 'read' : 'write');
    const fields = fieldsOf(req, operation);
    const parsed = operation.input.safeParse(fields);
    if (!parsed.success) throw inputError(parsed.error);
    const key = operation.method === 'get' ? undefined : req.get('idempotency-key');
    const id = newId(creates);
    const request = { operation: operation.name, key, input: fields, id, waits };
    const entry = await enter(deps, principal, request, parsed.data);
    if ('answered' in entry) {
      replay(res, operation, entry.answered);
      return;
    }
    res.once('close', entry.leave);
    const kept = key === undefined ? undefined : await reserveKey(deps, principal, { ...request, key });
    if (kept?.answered) {
      entry.giveBack();
      replay(res, operation, kept.answered);
      return;
    }
    const tag = (etag: string): void => void res.set('ETag', `"${etag}"`);
    const call: Call = { principal, traceId, id: kept?.id ?? id, tag, signal: signalOf(res) };
    const answer: Answer = {
      status: operation.status ?? 200,
      body: await handled(() => handle(parsed.data, call), kept),
    };
    await kept?.keep(answer);
    send(res, operation, answer);
  });
}

/** Lets a request in; what was answered already is answered again, however much the caller has asked since. */
async function enter(
  deps: ApiDeps,
  principal: Principal,
  request: Parameters<typeof keptAnswer>[2],
  input: Readonly<Record<string, unknown>>,
): Promise<Entry | { readonly answered: Answer }> {
  try {
    return await deps.limits.enter(request.operation, principal, input);
  } catch (refusal) {
    const answered = refusal instanceof ApiError && (await keptAnswer(deps, principal, request));
    if (!answered) throw refusal;
    return { answered };
  }
}

function replay(res: Response, operation: Operation, answer: Answer): void {
  res.set('Idempotent-Replayed', 'true');
  send(res, operation, answer);
}

/** A request that fails sets its key free, for the next one with it to try again at once. */
async function handled<R>(handle: () => Promise<R>, kept: Repeatable | undefined): Promise<R> {
  try {
    return await handle();
  } catch (error) {
    // Where that fails too, the first failure is the one to tell: a key that nobody answers for is free after a minute.
    await kept?.release().catch(() => undefined);
    throw error;
  }
}

function signalOf(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    controller.abort();
  });
  return controller.signal;
}

function send(res: Response, operation: Operation, { status, body }: Answer): void {
  const fields = body as Record<string, unknown>;
  res.status(status);
  if (operation.textField !== undefined) {
    res.type('text/plain').send(fields[operation.textField]);
    return;
  }
  if ('version' in fields && operation.path.includes('/shards/')) res.set('ETag', `"${String(fields['version'])}"`);
  if (operation.bareList === undefined) {
    res.json(body);
    return;
  }
  const cursor = fields['next_cursor'];
  if (typeof cursor === 'string') res.set('Link', `<${nextUrl(res.req, cursor)}>; rel="next"`);
  res.json(fields[operation.bareList]);
}

function nextUrl(req: Request, cursor: string): string {
  const url = new URL(req.originalUrl, 'http://switchboard.invalid');
  url.searchParams.set('cursor', cursor);
  return url.pathname + url.search;
}
