import type { Request, Response } from 'express';

import type { Database } from '../../db/pool.ts';
import { exportPage } from '../../db/people/users.ts';
import { csvCell } from '../../directory/csv-cell.ts';
import { newId } from '../../platform/ids.ts';
import type { Call } from '../call.ts';
import { drained } from '../drained.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { recordEvent } from '../record.ts';
import { checkTraceId } from '../trace.ts';

const HEADER = 'user_id,reports_to_id,name,role,email,department,title,locale,status';
const PAGE = 1_000;

/** The org chart as a file that the import takes, page by page. */
async function* linesOf(database: Database, organisationId: string): AsyncGenerator<string> {
  yield `${HEADER}\n`;
  for (let after = ''; ;) {
    const rows = await database.inOrganisation(organisationId, (sql) => exportPage(sql, after, PAGE));
    yield rows
      .map((row) =>
        [row.external_id, row.reports_to, row.name, row.role, row.email, row.department, row.title, row.locale]
          .concat(row.active ? 'active' : 'inactive')
          .map(csvCell)
          .join(','),
      )
      .map((line) => `${line}\n`)
      .join('');
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last.external_id;
  }
}

/** The export of the org chart. */
export function mountOrgExport({ router, deps, authenticate }: Mounting): void {
  router.get('/admin/org/export', async (req: Request, res: Response) => {
    const traceId = String(res.locals['traceId']);
    checkTraceId(traceId);
    const principal = await authenticate(req.get('authorization'));
    const { organisation_id } = principal;
    const call: Call = { principal, traceId, id: newId('audit'), signal: new AbortController().signal };
    await requirePermission(deps, call, 'directory:manage', { kind: 'organisation' });
    await deps.database.inOrganisation(organisation_id, (sql) =>
      recordEvent(sql, call, { action: 'directory.exported', kind: 'organisation', id: organisation_id, details: {} }),
    );
    res.type('text/csv').attachment('people.csv');
    try {
      for await (const piece of linesOf(deps.database, organisation_id)) {
        if (res.destroyed) return;
        if (!res.write(piece)) await drained(res);
      }
      res.end();
    } catch (error) {
      if (!res.headersSent) throw error;
      // The reader must not take half a chart for the whole.
      res.destroy();
    }
  });
}
