import { z } from 'zod';

import { ReceiptSubject } from './ids.ts';
import { JsonMap } from './json.ts';
import { defineOperation } from './operation.ts';
import { NextCursor, recordPageFields } from './paging.ts';
import { Timestamp } from './time.ts';

const Label = z.string().min(1).max(100);

/** An event that another system reports, in the form of older clients (COMPAT-2). */
export const ReportedEvent = z.strictObject({
  id: z.string().min(1).max(200).optional().describe('Your id of the event; the same id is stored once'),
  source: Label.describe('Which system'),
  category: Label.describe('What kind, e.g. privacy'),
  action: Label.describe('What happened'),
  subject: z.string().max(200).optional(),
  traceId: z.string().max(100).optional(),
  timestamp: Timestamp.optional().describe('When; now unless given'),
  metadata: JsonMap.meta({ type: 'object' }).optional(),
  content: z.string().max(20_000).optional().describe('Text; personal data in it is masked before it is stored'),
});
export type ReportedEvent = z.infer<typeof ReportedEvent>;

export const ingestAudit = defineOperation({
  name: 'ingest_audit',
  method: 'post',
  path: '/audit/ingest',
  summary: 'Report one event, or a batch: all of it is stored or nothing.',
  input: z.strictObject({
    ...ReportedEvent.partial().shape,
    events: z.array(z.unknown()).min(1).max(1_000).optional().describe('A batch of events, 1,000 at most'),
  }),
  output: z.object({ accepted: z.number(), duplicates: z.number(), ids: z.array(z.string()) }),
  bodyForms: [ReportedEvent, z.strictObject({ events: z.array(ReportedEvent).min(1).max(1_000) })],
  action: 'audit:ingest',
  status: 202,
  errors: ['invalid_batch', 'forbidden'],
});

export const AuditEvent = z.object({
  id: z.string(),
  at: Timestamp,
  actor: z.string(),
  actor_kind: z.string(),
  actor_role: z.string().nullable(),
  on_behalf_of: z.string().nullable(),
  action: z.string(),
  subject_kind: z.string(),
  subject_id: z.string(),
  task_id: z.string().nullable(),
  session_id: z.string().nullable(),
  outcome: z.string(),
  policies: z.array(z.string()),
  privacy: z.record(z.string(), z.number()),
  details: JsonMap.meta({ type: 'object' }),
  source: z.string(),
  category: z.string(),
  trace_id: z.string(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

export const listAudit = defineOperation({
  name: 'list_audit',
  method: 'get',
  path: '/audit',
  summary: 'Read the record of the organisation.',
  input: z.strictObject({
    ...recordPageFields,
    subject_id: z.string().max(100).optional(),
    actor: z.string().max(100).optional(),
    action: z.string().max(100).optional(),
    trace_id: z.string().max(100).optional(),
  }),
  output: z.object({ events: z.array(AuditEvent), next_cursor: NextCursor }),
  action: 'audit:read',
  errors: ['forbidden'],
});

const Hash = z.string().describe('SHA-256, hexadecimal');

/** What was decided and done about one thing, provable offline: see docs/record.md. */
export const AuditReceipt = z.object({
  type: z.literal('switchboard-audit-receipt'),
  version: z.literal(1),
  organisation: z.string(),
  subject: z.string().describe('The task, approval or event it was made for'),
  made_at: Timestamp,
  complete: z.boolean().describe('Whether every event of the subject is in it'),
  events: z.array(
    z.object({
      event: JsonMap.meta({ type: 'object' }).describe('Every column of the event'),
      entry: z
        .object({
          index: z.number(),
          position: z.string(),
          event_id: z.string(),
          event_digest: Hash,
          sealed_at: Timestamp,
          previous: Hash,
          hash: Hash,
        })
        .describe('The link of the chain that seals it'),
      proof: z
        .object({ checkpoint: z.number(), path: z.array(Hash) })
        .describe('Place of its checkpoint in checkpoints, and the Merkle path (RFC 9162) to the root it signs'),
    }),
  ),
  checkpoints: z.array(z.string()).describe('Signed checkpoints, as compact JWS'),
});
export type AuditReceipt = z.infer<typeof AuditReceipt>;

export const getAuditReceipt = defineOperation({
  name: 'get_audit_receipt',
  method: 'get',
  path: '/audit/receipts/{id}',
  summary: 'The receipt of a task, an approval, a session or an event: what was decided and done, provable offline.',
  description:
    'Waits a few seconds for the checkpoint of what happened just now; verified with the keys of GET /audit/keys.',
  input: z.strictObject({ id: ReceiptSubject }),
  output: AuditReceipt,
  action: 'audit:read',
  errors: ['forbidden', 'not_found', 'unavailable'],
});
