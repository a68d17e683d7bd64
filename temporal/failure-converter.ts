import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts messages and stack traces of failures into a payload, which the codec encrypts; in clear they would stand in every
 * history. Loaded by path: in the worker's bundle, the client and the worker.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
