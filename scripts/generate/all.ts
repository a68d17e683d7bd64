import { readFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';

import { readIfPresent } from '../../platform/files.ts';
import { renderMatrix } from '../../test/unit/policy/matrix.ts';
import { configurationPage, errorsPage, openApiPage, toolsPage } from './contract-pages.ts';
import type { Generated } from './generated.ts';
import { importDiagram } from './import-diagram.ts';
import { citedIn, withTests } from './requirement-tests.ts';

const root = path.resolve(import.meta.dirname, '../..');

const requirements: Generated = {
  file: 'docs/requirements.md',
  text: (present) =>
    Promise.resolve(withTests(present ?? readFileSync(path.join(root, 'docs/requirements.md'), 'utf8'), citedIn(root))),
};

const policyMatrix: Generated = {
  file: 'test/unit/policy/matrix.md',
  text: () => Promise.resolve(renderMatrix()),
};

/** Everything that is generated. */
const ALL = [openApiPage, toolsPage, errorsPage, configurationPage, requirements, importDiagram, policyMatrix];

/** A generated file as it is and as it should be. */
export interface Rendering {
  readonly file: string;
  readonly present: string | undefined;
  readonly wanted: string;
}

/** Computes every generated file, formatted as the rest of the project is. */
export function renderAll(): Promise<Rendering[]> {
  return Promise.all(
    ALL.map(async ({ file, text }) => {
      const target = path.join(root, file);
      const present = readIfPresent(target);
      const options = await resolveConfig(target);
      return { file, present, wanted: await format(await text(present), { ...options, filepath: target }) };
    }),
  );
}
