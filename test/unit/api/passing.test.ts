import { ServiceError } from '@temporalio/client';
import test from 'ava';

import { toApiError } from '../../../api/errors.ts';
import { isPassing } from '../../../api/passing.ts';

/** As the client hands on what Temporal's server answered. */
function answered(code: number, details: string): Error {
  const grpc = Object.assign(new Error(`${String(code)}: ${details}`), { code, details, metadata: {} });
  return new ServiceError('The update failed', { cause: grpc });
}

const NOT_READY = [
  'Unable to perform workflow execution update due to unexpected workflow task failure.',
  'Unable to perform workflow execution update due to Workflow Task in failed state.',
  'Workflow task is not scheduled yet.',
  'Workflow state is not ready to handle the request.',
  'Workflow execution closed before WorkflowTaskStarted event',
];

for (const details of NOT_READY)
  test(`X-1, OPS-5: "${details}" passes: it is repeated, and answered 503 in the end`, (t) => {
    const error = answered(9, details);
    t.true(isPassing(error));
    t.is(toApiError(error)?.code, 'unavailable');
  });

test('X-1, OPS-5: a call that broke off passes', (t) => {
  const error = answered(13, 'Received RST_STREAM with code 1');
  t.true(isPassing(error));
  t.is(toApiError(error)?.code, 'unavailable');
});

test('X-1: other refusals of Temporal do not pass', (t) => {
  t.false(isPassing(answered(9, 'Namespace is deleted')));
  t.false(isPassing(answered(3, NOT_READY[0] ?? '')));
  t.false(isPassing(answered(13, 'panic in the server')));
});
