import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

const root = path.resolve(import.meta.dirname, '../../..');
const PAGES = ['*.md', 'docs/**/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const scripts = new Set(Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts));

test('every npm command in the guides is a script of package.json', (t) => {
  const faults = PAGES.flatMap((page) =>
    [...read(page).matchAll(/npm (?:run (?:--silent )?([a-z][\w:-]*)|(start|test)\b)/g)]
      .map(([, named, short]) => named ?? short ?? '')
      .filter((script) => !scripts.has(script))
      .map((script) => `${page}: npm run ${script}`),
  );
  t.deepEqual(faults, []);
});

test('every relative link in the guides leads somewhere', (t) => {
  const faults = PAGES.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(path.resolve(root, path.dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  t.deepEqual(faults, []);
});

test('every file that the guides name in code exists', (t) => {
  const rooms = 'api|activities|cli|contracts|db|directory|mcp-extension|platform|policy|privacy|profiles';
  const more = 'scripts|temporal|test|workers|workflows|bench|docs';
  const named = new RegExp(`\`((?:${rooms}|${more})/[\\w./-]*\\.(?:ts|mjs|yaml|csv|sql|md|json))\``, 'g');
  const faults = PAGES.filter((page) => page !== 'CHANGELOG.md').flatMap((page) =>
    [...read(page).matchAll(named)]
      .map(([, file = '']) => file)
      .filter((file) => !existsSync(path.join(root, file)))
      .map((file) => `${page}: ${file}`),
  );
  t.deepEqual(faults, []);
});

test('no page names a folder of somebody`s machine or a package registry', (t) => {
  const foreign = /(^|[\s"'`(=])\/(?:home|root|work|Users|tmp|mnt)\/\w|registry\.[\w-]+\.\w+|proxy\.golang|[A-Z]:\\\\/m;
  const texts = [...PAGES, ...globSync('docs/**/*.json', { cwd: root })];
  t.deepEqual(
    texts.filter((page) => foreign.test(read(page))),
    [],
  );
});

test('every page begins with a title and is reached from README, ARCHITECTURE or CONTRIBUTING', (t) => {
  const entries = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].map(read).join('\n');
  for (const page of PAGES) {
    t.regex(read(page), /^# \S/, page);
    if (page.startsWith('docs/') && !page.startsWith('docs/decisions/')) t.true(entries.includes(page), page);
  }
});

test('every setting that the guides name is one that is read', (t) => {
  const known = read('docs/configuration.md');
  const faults = PAGES.filter((page) => page !== 'docs/configuration.md').flatMap((page) =>
    [...read(page).matchAll(/SWITCHBOARD_[A-Z_]+[A-Z]/g)]
      .map(([name]) => name)
      .filter((name) => !name.startsWith('SWITCHBOARD_TEST_') && !known.includes(`\`${name}\``))
      .map((name) => `${page}: ${name}`),
  );
  t.deepEqual(faults, []);
});
