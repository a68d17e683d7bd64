import { setTimeout as sleep } from 'node:timers/promises';

import type { Request, Response } from 'express';

import { getAuditReceipt } from '../../contracts/audit.ts';
import type { AuditReceipt } from '../../contracts/audit.ts';
import { RecordPlace } from '../../contracts/plain-routes.ts';
import { newId } from '../../platform/ids.ts';
import { exportLine } from '../../db/audit/export-file.ts';
import { makeReceipt } from '../../db/audit/receipt-make.ts';
import { recordOf } from '../../db/audit/stream.ts';
import type { Range } from '../../db/audit/stream.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { drained } from '../drained.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError, notFound } from '../problem.ts';
import { checkTraceId } from '../trace.ts';

/** A checkpoint is due every five seconds: a receipt of what happened just now waits for it. */
const SIGNED_WITHIN_MS = 12_000;
const LOOK_AGAIN_MS = 250;
/** Lines are put together to pieces of about this size: one write each would cost more than the lines. */
const PIECE = 64 * 1024;

async function receiptOf({ database }: ApiDeps, { principal, signal }: Call, id: string): Promise<AuditReceipt> {
  const deadline = Date.now() + SIGNED_WITHIN_MS;
  for (;;) {
    const receipt = await makeReceipt(database, principal.organisation_id, id);
    if (receipt === 'unknown') throw notFound(id);
    if (receipt !== 'unsigned') return receipt as AuditReceipt;
    if (Date.now() > deadline || signal.aborted)
      throw new ApiError({ code: 'unavailable', detail: `What happened to ${id} is not sealed and signed yet.` });
    await sleep(LOOK_AGAIN_MS);
  }
}

function rangeOf(req: Request): Range {
  for (const [name, value] of Object.entries(req.query)) {
    const known = name === 'from' || name === 'to';
    if (known && RecordPlace.safeParse(value).success) continue;
    const detail = known ? 'must be the index of a link or a time in RFC 3339 UTC' : 'is not known';
    throw new ApiError({ code: 'invalid_input', detail: `${name}: ${detail}.` }, [{ pointer: `/${name}`, detail }]);
  }
  const { from, to } = req.query as { from?: string; to?: string };
  return { from, to };
}

/** Writes the record as fast as the reader takes it, and no faster. */
async function sendRecord(res: Response, deps: ApiDeps, organisation: string, range: Range): Promise<void> {
  let piece = '';
  for await (const item of recordOf(deps.database, organisation, range)) {
    piece += exportLine(item);
    if (piece.length < PIECE) continue;
    if (res.destroyed) return;
    if (!res.write(piece)) await drained(res);
    piece = '';
  }
  res.end(piece);
}

/** The sealed record: receipts, export, public keys. */
export function mountRecord(mounting: Mounting): void {
  const { router, deps, authenticate } = mounting;
  mount(mounting, getAuditReceipt, async ({ id }, call) => {
    await requirePermission(deps, call, 'audit:read', { kind: 'organisation' });
    return receiptOf(deps, call, id);
  });

  router.get('/audit/export', async (req: Request, res: Response) => {
    const traceId = String(res.locals['traceId']);
    checkTraceId(traceId);
    const principal = await authenticate(req.get('authorization'));
    const range = rangeOf(req);
    const call: Call = { principal, traceId, id: newId('audit'), signal: new AbortController().signal };
    await requirePermission(deps, call, 'audit:read', { kind: 'organisation' });
    res.type('application/x-ndjson');
    try {
      await sendRecord(res, deps, principal.organisation_id, range);
    } catch (error) {
      if (!res.headersSent) throw error;
      // The reader must not take half a record for the whole: the connection breaks instead of ending.
      deps.log.warn({ err: error, trace_id: traceId }, 'an export broke off');
      res.destroy();
    }
  });

  // Public, as keys that are there for others to verify with have to be.
  router.get('/audit/keys', (_req, res) => {
    res.json(deps.auditKeys());
  });
}
