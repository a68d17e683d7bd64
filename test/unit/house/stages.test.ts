import path from 'node:path';
import test from 'ava';

import { planOf } from '../../../scripts/testing/stages.ts';

const root = path.resolve(import.meta.dirname, '../../..');

test('without arguments every test belongs to its stage', (t) => {
  const { files, options } = planOf(root, []);
  t.true(files.unit.includes('test/unit/house/stages.test.ts'));
  t.true(files.integration.length > 0 && files.e2e.length > 0);
  t.deepEqual(options, []);
});

test('stages, folders, files and globs can be named together, and each file runs once', (t) => {
  const { files, options } = planOf(root, [
    'test/unit/house',
    'test/unit/house/stages.test.ts',
    'test/unit/house/{pins,tap}.test.ts',
    '--match',
    'X-1: *',
  ]);
  t.is(files.unit.filter((file) => file.endsWith('stages.test.ts')).length, 1);
  t.true(files.unit.every((file) => file.startsWith('test/unit/house/')));
  t.deepEqual([files.integration, files.e2e, options], [[], [], ['--match', 'X-1: *']]);
});

test('what names no test, and an unknown option, is refused with what there is', (t) => {
  t.throws(() => planOf(root, ['test/unit/nowhere']), { message: /names no test: stages are unit, integration, e2e/ });
  t.throws(() => planOf(root, ['test/support']), { message: /names no test/ });
  t.throws(() => planOf(root, ['--watch']), { message: /Unknown option --watch/ });
  t.throws(() => planOf(root, ['--match']), { message: /needs a title/ });
});
