import { TestWorkflowEnvironment } from '@temporalio/testing';

/**
 * Run as a program of its own, with a folder as argument: the SDK downloads its development server there. It has no
 * call that only downloads, and none to cancel, so that its caller needs a process it can stop.
 */
const [folder = ''] = process.argv.slice(2);
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir: folder, ttl: '3650 days' }, ui: false },
});
await environment.teardown();
