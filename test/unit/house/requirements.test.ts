import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

import { citedIn, requirementRows } from '../../../scripts/generate/requirement-tests.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const rows = requirementRows(readFileSync(path.join(root, 'docs/requirements.md'), 'utf8'));
const cited = citedIn(root);

test('every requirement that is landed, wholly or partly, is cited by a test', (t) => {
  t.deepEqual(
    rows.filter(({ id }) => !cited.has(id)).map(({ id, text }) => `${id}: ${text}`),
    [],
  );
});

test('every id that a test cites is in docs/requirements.md', (t) => {
  const known = new Set(rows.map(({ id }) => id));
  t.deepEqual(
    [...cited].filter(([id]) => !known.has(id)).map(([id, files]) => `${id} in ${files.join(', ')}`),
    [],
  );
});

test('each requirement is listed once and says its state', (t) => {
  t.is(new Set(rows.map(({ id }) => id)).size, rows.length);
  t.deepEqual(
    rows.filter(({ state }) => !/^(landed$|partly: \S)/.test(state)).map(({ id }) => id),
    [],
  );
});
