import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import temporal from 'eslint-plugin-temporal';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const skip = { skipBlankLines: true, skipComments: true };

/** What holds everywhere: strict types, small functions and files, no output but through the log. */
const everywhere = {
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-console': 'error',
  'max-lines': ['error', { max: 300, ...skip }],
  'max-lines-per-function': ['error', { max: 60, ...skip }],
  '@typescript-eslint/consistent-type-imports': 'error',
  // `() => doIt()` is how callbacks are written here; a void result is only an error where it is used.
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
  '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
};

/** Workflow code and what it imports runs in a sandbox without Node, and must decide the same at every replay. */
const sandboxed = {
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          regex: '^(?!\\.|@temporalio/(workflow|common)$|zod$)',
          message: 'Not available in the workflow sandbox: zod, @temporalio/workflow and @temporalio/common only.',
        },
        {
          regex:
            '(^|/)(activities|workers|api|mcp-extension|temporal|db|privacy|policy|directory|agents|platform|cli)/',
          message: 'Workflow code imports contracts/ and workflows/ only.',
        },
      ],
    },
  ],
  'no-restricted-globals': [
    'error',
    ...['process', 'fetch', 'Buffer', 'WeakRef', 'FinalizationRegistry', 'setInterval', 'SharedArrayBuffer'],
  ],
  'no-restricted-properties': [
    'error',
    { object: 'crypto', property: 'randomUUID', message: 'Use uuid4() from @temporalio/workflow.' },
  ],
};

const temporalRules = {
  'temporal/workflow-no-async-query-handler': 'error',
  'temporal/workflow-no-query-mutation': 'error',
  'temporal/workflow-no-duplicate-patch-ids': 'error',
  'temporal/workflow-patch-id-literal': 'error',
  'temporal/workflow-no-await-in-handler-without-exit-guard': 'error',
  'temporal/workflow-no-swallow-cancellation': 'error',
  'temporal/workflow-no-throw-raw-error': 'error',
  'temporal/workflow-require-activity-retry-policy': 'error',
  'temporal/workflow-no-top-level-workflow-side-effects': 'error',
  'temporal/workflow-no-dynamic-import': 'error',
  'temporal/workflow-no-busy-wait': 'error',
  'temporal/workflow-no-continue-as-new-in-update-handler': 'error',
};

export default defineConfig(
  globalIgnores(['node_modules/', '.data/']),
  js.configs.recommended,
  { files: ['**/*.ts'], extends: [tseslint.configs.strictTypeChecked] },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: everywhere,
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        module: 'writable',
        URL: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
      },
    },
  },
  { files: ['workflows/**/*.ts', 'contracts/**/*.ts'], rules: sandboxed },
  { files: ['workflows/**/*.ts'], plugins: { temporal }, rules: temporalRules },
  { files: ['cli/**/*.ts', 'scripts/**', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    // A test tells one story from top to bottom; and AVA's `test` answers nothing that could be awaited.
    rules: { 'max-lines-per-function': 'off', 'max-lines': ['error', { max: 700, ...skip }] },
  },
  prettier,
);
