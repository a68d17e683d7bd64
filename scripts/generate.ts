// npm run generate: writes what is computed from the code into docs/ and ARCHITECTURE.md.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { renderAll } from './generate/all.ts';

const root = path.resolve(import.meta.dirname, '..');

for (const { file, present, wanted } of await renderAll()) {
  if (present !== wanted) writeFileSync(path.join(root, file), wanted);
  console.log(`${present === wanted ? 'unchanged' : 'written  '} ${file}`);
}
