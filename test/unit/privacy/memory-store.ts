import type { PseudonymRow, PseudonymStore } from '../../../db/pseudonyms.ts';

/** The store's contract over a map, counting calls: the guard's logic without a database. */
export function createMemoryStore(): PseudonymStore & {
  readonly rows: Map<string, PseudonymRow>;
  readonly calls: string[];
} {
  const rows = new Map<string, PseudonymRow>();
  const calls: string[] = [];
  return {
    rows,
    calls,
    put(organisationId, added) {
      calls.push('put');
      const fresh = added.filter(({ pseudonym }) => !rows.has(`${organisationId}|${pseudonym}`));
      for (const row of fresh) rows.set(`${organisationId}|${row.pseudonym}`, row);
      return Promise.resolve(fresh.map(({ pseudonym }) => pseudonym));
    },
    get(organisationId, pseudonyms) {
      calls.push('get');
      const found = pseudonyms.map((pseudonym) => rows.get(`${organisationId}|${pseudonym}`));
      return Promise.resolve(found.filter((row) => row !== undefined));
    },
  };
}
