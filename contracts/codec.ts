import { z } from 'zod';

import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';

/** Owner of what no organisation owns: upkeep, and failures of the worker itself. */
export const SYSTEM_ORGANISATION = 'system';

// <kind>:<organisation_id>:<…>, as all builders of workflow ids in contracts/ write it.
const WORKFLOW_ID = /^[a-z]+:(?<organisation>org_[0-9a-f-]{36}):/;

/** The organisation that a workflow belongs to, by its id; the system where it belongs to none. */
export const organisationOfWorkflow = (workflowId: string | undefined): string =>
  WORKFLOW_ID.exec(workflowId ?? '')?.groups?.['organisation'] ?? SYSTEM_ORGANISATION;

const MOST_PAYLOADS = 2_000;

const base64 = () => z.base64('must be base64');

/** One payload as Temporal's remote codec protocol writes it. */
export const WirePayload = z.strictObject({
  metadata: z.record(z.string(), base64()).optional().describe('Metadata by name, each value in base64'),
  data: base64().optional().describe('The bytes, in base64'),
  externalPayloads: z
    .array(JsonMap.meta({ type: 'object' }))
    .max(100)
    .optional()
    .describe('Where larger parts are kept; passed through'),
});
export type WirePayload = z.infer<typeof WirePayload>;

const Payloads = z.strictObject({
  // The Temporal CLI leaves out an empty list.
  payloads: z.array(WirePayload).max(MOST_PAYLOADS).default([]).describe('Payloads of workflow histories'),
});

/** Turns encrypted payloads of the caller's organisation into readable ones (remote codec protocol of Temporal). */
export const decodePayloads = defineOperation({
  name: 'decode_payloads',
  method: 'post',
  path: '/codec/decode',
  summary: 'Make payloads of workflow histories readable, for the Temporal Web UI and CLI.',
  description:
    'The remote codec protocol of Temporal. Only administrators, only payloads of their own organisation; each call is put on record.',
  input: Payloads,
  output: Payloads,
  action: 'history:read',
});

/** Encrypts payloads for the caller's organisation (remote codec protocol of Temporal). */
export const encodePayloads = defineOperation({
  name: 'encode_payloads',
  method: 'post',
  path: '/codec/encode',
  summary: 'Encrypt payloads for workflows, for the Temporal Web UI and CLI.',
  input: Payloads,
  output: Payloads,
  action: 'history:write',
});
