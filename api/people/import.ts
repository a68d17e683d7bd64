import type { Request, Response } from 'express';

import { actorOf } from '../../contracts/actor.ts';
import type { ImportAnswer } from '../../contracts/directory.ts';
import { beginImport, completeImport, failImport, findImport } from '../../db/people/imports.ts';
import { DirectoryRefusal } from '../../directory/change.ts';
import type { Changed } from '../../directory/change.ts';
import { checkChart, importChart } from '../../directory/import.ts';
import type { CheckedChart, Faults } from '../../directory/import.ts';
import { newId } from '../../platform/ids.ts';
import { publish } from '../../db/record.ts';
import { requireScope } from '../authentication.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import type { Mounting } from '../http.ts';
import { reserveKey } from '../idempotency.ts';
import { requirePermission } from '../permission.ts';
import { ApiError } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { checkTraceId } from '../trace.ts';
import { moveWork } from './moves.ts';
import { refusedChange } from './refusals.ts';
import { receiveChart } from './upload.ts';
import type { Upload } from './upload.ts';
import { importView } from './view.ts';

const LINES = 1_000;
const FLAGS = ['dry_run', 'confirm_deactivations'] as const;
type Flags = Readonly<Record<(typeof FLAGS)[number], boolean>>;

/** The two switches, from the query or the form. */
function flagsOf(req: Request, { fields }: Upload): Flags {
  const given = { ...req.query, ...fields } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    const known = (FLAGS as readonly string[]).includes(name);
    if (known && ['true', 'false', '1', '0'].includes(String(value))) continue;
    const detail = known ? 'must be true or false' : 'is not known';
    throw new ApiError({ code: 'invalid_input', detail: `${name}: ${detail}.` }, [{ pointer: `/${name}`, detail }]);
  }
  const isSet = (name: string): boolean => ['true', '1'].includes(String(given[name]));
  return { dry_run: isSet('dry_run'), confirm_deactivations: isSet('confirm_deactivations') };
}

/** An import under way: what was sent, by whom, and how it is meant. */
interface Order {
  readonly deps: ApiDeps;
  readonly call: Call;
  readonly upload: Upload;
  readonly flags: Flags;
}

async function fail({ deps, call }: Order, reason: string, { faults, count }: Faults): Promise<void> {
  await deps.database.transaction(call.principal.organisation_id, async (sql) => {
    await failImport(sql, call.id, reason, faults, count);
    await recordEvent(sql, call, {
      action: 'directory.import_failed',
      kind: 'import',
      id: call.id,
      outcome: 'failed',
      details: { reason, fault_count: count },
    });
  });
}

function withFaults({ call, flags }: Order, { faults, count }: Faults): ApiError {
  const [first] = faults;
  const where = first
    ? `Row ${String(first.row)}${first.column === null ? '' : `, ${first.column}`}: ${first.message}.`
    : '';
  const facts = {
    import_id: flags.dry_run ? null : call.id,
    faults,
    fault_count: count,
    faults_omitted: count - faults.length,
  };
  return new ApiError({ code: 'invalid_org_chart', detail: `${String(count)} faults. ${where}`, facts });
}

async function apply({ deps, call, upload, flags }: Order, chart: CheckedChart): Promise<Changed> {
  const { organisation_id } = call.principal;
  return importChart(deps.database, upload, chart, {
    organisationId: organisation_id,
    by: { actor: actorOf(call.principal), trace_id: call.traceId, source: 'csv', import_id: call.id },
    dryRun: flags.dry_run,
    confirmed: flags.confirm_deactivations,
    lines: LINES,
    finish: async (sql, { counts }) => {
      await completeImport(sql, call.id, counts);
      const { added, changed, deactivated, reactivated, unchanged } = counts;
      const sums = { added, changed, deactivated, reactivated, unchanged };
      await recordEvent(sql, call, {
        action: 'directory.imported',
        kind: 'import',
        id: call.id,
        details: { digest: upload.digest, ...sums },
      });
      await publish(sql, {
        topic: 'directory',
        type: 'directory.imported',
        subject_id: call.id,
        audience: ['administrator'],
        data: { type: 'directory.imported', id: call.id, ...sums, trace_id: call.traceId },
      });
    },
  });
}

function linesOf({ diff, counts }: Changed): Pick<ImportAnswer, 'diff' | 'diff_omitted'> {
  const all = counts.added + counts.changed + counts.deactivated + counts.reactivated;
  return {
    diff: diff.map(({ external_id, kind, before, after }) => ({ user_id: external_id, change: kind, before, after })),
    diff_omitted: all - diff.length,
  };
}

function dryAnswer({ call, upload }: Order, changed: Changed): ImportAnswer {
  const { added, deactivated, reactivated, unchanged } = changed.counts;
  const now = new Date().toISOString();
  return {
    id: null,
    import_id: null,
    filename: upload.filename,
    digest: upload.digest,
    uploaded_by: call.principal.id,
    uploaded_at: now,
    status: 'complete',
    users_created: added,
    users_updated: changed.counts.changed,
    users_deactivated: deactivated,
    users_reactivated: reactivated,
    users_unchanged: unchanged,
    fault_count: 0,
    reason: null,
    completed_at: now,
    trace_id: call.traceId,
    dry_run: true,
    refusal: changed.refusal ? refusedChange(changed.refusal).code : null,
    ...linesOf(changed),
  };
}

async function run(order: Order): Promise<ImportAnswer> {
  const { deps, call, upload, flags } = order;
  const { organisation_id, id: uploaded_by } = call.principal;
  const begin = { id: call.id, filename: upload.filename, digest: upload.digest, uploaded_by, trace_id: call.traceId };
  if (!flags.dry_run) await deps.database.inOrganisation(organisation_id, (sql) => beginImport(sql, begin));
  try {
    const chart = await checkChart(upload);
    if ('faults' in chart) throw withFaults(order, chart);
    const changed = await apply(order, chart);
    if (flags.dry_run) return dryAnswer(order, changed);
    if (changed.moves > 0) moveWork(deps, organisation_id);
    const row = await deps.database.inOrganisation(organisation_id, (sql) => findImport(sql, call.id));
    if (!row) throw new Error('The import is not on the list.');
    return { ...importView(row), dry_run: false, refusal: null, ...linesOf({ ...changed, diff: [] }) };
  } catch (error) {
    const refusal = error instanceof DirectoryRefusal ? refusedChange(error) : error;
    const known = refusal instanceof ApiError ? refusal : undefined;
    const faults = (known?.facts['faults'] ?? []) as Faults['faults'];
    const count = Number(known?.facts['fault_count'] ?? 0);
    // Where that fails too, the first failure is the one to tell; the sweep ends what is left.
    if (!flags.dry_run) await fail(order, known?.code ?? 'internal', { faults, count }).catch(() => undefined);
    throw refusal;
  }
}

/** The import of org charts: a route of its own, since its body is a file. Mount it before bodies are read as JSON. */
export function mountOrgImport({ router, deps, authenticate }: Mounting): void {
  router.post('/admin/org/import', async (req: Request, res: Response) => {
    const traceId = String(res.locals['traceId']);
    checkTraceId(traceId);
    const principal = await authenticate(req.get('authorization'));
    requireScope(principal, 'write');
    const call: Call = { principal, traceId, id: newId('import'), signal: new AbortController().signal };
    await requirePermission(deps, call, 'directory:manage', { kind: 'organisation' });
    const leave = deps.limits.connect(principal, 'imports');
    const upload = await receiveChart(req).catch((error: unknown) => {
      leave();
      throw error;
    });
    try {
      const flags = flagsOf(req, upload);
      const input = { digest: upload.digest, filename: upload.filename, ...flags };
      const key = req.get('idempotency-key');
      const request = { operation: 'import_org_chart', input, id: call.id, waits: true };
      const kept = key === undefined ? undefined : await reserveKey(deps, principal, { ...request, key });
      if (kept?.answered) {
        res.set('Idempotent-Replayed', 'true').status(kept.answered.status).json(kept.answered.body);
        return;
      }
      const order = { deps, call: { ...call, id: kept?.id ?? call.id }, upload, flags };
      const body = await run(order).catch(async (error: unknown) => {
        await kept?.release().catch(() => undefined);
        throw error;
      });
      const status = flags.dry_run ? 200 : 201;
      await kept?.keep({ status, body });
      res.status(status).json(body);
    } finally {
      leave();
      await upload.close();
    }
  });
}
