import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

const root = path.resolve(import.meta.dirname, '../../..');
const sources = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('preload.ts'))
    .map((file) => path.join(folder, file));

/** Contract modules that a file loads at run time; types alone cost nothing. */
function loaded(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export) (?!type)[^;]*? from '(\..*?)';/gms)];
  return imports
    .map(([, from = '']) => path.normalize(path.join(path.dirname(file), from)))
    .filter((target) => target.startsWith('contracts/'));
}

function reached(start: readonly string[]): Set<string> {
  const found = new Set<string>();
  const todo = [...start];
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    todo.push(...loaded(file));
  }
  return found;
}

test('OPS-2: every contract module that workflows use is shared between them, not copied for each', (t) => {
  const used = reached(sources('workflows').flatMap(loaded));
  const shared = new Set(loaded('workflows/preload.ts'));
  t.true(used.size > 10);
  t.deepEqual([...used].filter((file) => !shared.has(file)).sort(), []);
});
