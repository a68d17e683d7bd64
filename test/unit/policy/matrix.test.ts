import { readFileSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';
import { format, resolveConfig } from 'prettier';

import { renderMatrix } from './matrix.ts';

test('POL-1, POL-2: the matrix of roles, kinds, actions, relations and models is as it is on file', async (t) => {
  const file = path.resolve(import.meta.dirname, 'matrix.md');
  const wanted = await format(renderMatrix(), { ...(await resolveConfig(file)), filepath: file });
  t.is(
    readFileSync(file, 'utf8'),
    wanted,
    'A policy or profile changed what is allowed: look at it, then npm run generate.',
  );
});
