export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  timeout: '120s',
  concurrency: 2,
  environmentVariables: { NODE_ENV: 'test' },
};
