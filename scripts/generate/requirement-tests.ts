import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const TITLE = /(['"`])((?:[A-Z]{1,6}-\d+)(?:, [A-Z]{1,6}-\d+)*): /g;

/** The test files that cite each requirement: `TASK-3` → files, in order. */
export function citedIn(root: string): ReadonlyMap<string, readonly string[]> {
  const cited = new Map<string, Set<string>>();
  for (const file of globSync('test/**/*.test.ts', { cwd: root }).sort())
    for (const [, , ids = ''] of readFileSync(path.join(root, file), 'utf8').matchAll(TITLE))
      for (const id of ids.split(', ')) cited.set(id, (cited.get(id) ?? new Set()).add(file));
  return new Map([...cited].map(([id, files]) => [id, [...files]]));
}

/** One row of docs/requirements.md. */
export interface RequirementRow {
  readonly id: string;
  readonly text: string;
  readonly state: string;
}

const cells = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The rows of the page, whichever table they stand in. */
export const requirementRows = (page: string): RequirementRow[] =>
  page.split('\n').flatMap((line) => {
    const [id, text, state] = cells(line);
    return id !== undefined && /^[A-Z]{1,6}-\d+$/.test(id) ? [{ id, text: text ?? '', state: state ?? '' }] : [];
  });

/** The page with its last column, the tests, written anew. */
export const withTests = (page: string, cited: ReadonlyMap<string, readonly string[]>): string =>
  page
    .split('\n')
    .map((line) => {
      const [id, text, state] = cells(line);
      if (id === undefined || !/^[A-Z]{1,6}-\d+$/.test(id)) return line;
      const files = (cited.get(id) ?? []).map((file) => `[${shortName(file)}](../${file})`);
      return `| ${[id, text, state, files.join(', ')].join(' | ')} |`;
    })
    .join('\n');

const shortName = (file: string): string => file.slice('test/'.length, -'.test.ts'.length);
