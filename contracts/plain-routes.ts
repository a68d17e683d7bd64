import { z } from 'zod';

import { ImportAnswer } from './directory.ts';
import type { PlainRoute } from './plain-route.ts';
import { Topic } from './record.ts';
import { scimRoutes } from './scim-routes.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { Timestamp } from './time.ts';

const text = (type: string) => ({ type, schema: z.string() });
const KNOWN_CALLER = ['invalid_input', 'unauthenticated', 'forbidden', 'rate_limited', 'unavailable'] as const;

const Health = z.looseObject({
  status: z.enum(['healthy', 'degraded', 'draining']),
  version: z.string(),
  database: z.string(),
  temporal: z.string(),
  worker: z.string(),
  stream: z.string(),
});
const Alive = z.object({ status: z.literal('ok') });
/** A place in the sealed record. */
export const RecordPlace = z
  .union([z.string().regex(/^\d{1,15}$/), z.iso.date().regex(/^(19[7-9]\d|[2-9]\d{3})-/), Timestamp])
  .describe('The index of a link, or a time in RFC 3339 UTC');

const Keys = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });

const stream: PlainRoute = {
  name: 'stream_events',
  method: 'get',
  path: '/stream',
  summary: 'Events as they happen (server-sent events), as far as they concern you.',
  description: 'Does not end. Go on after an interruption with the header Last-Event-ID, or last_event_id.',
  query: z.strictObject({
    topics: z
      .string()
      .regex(new RegExp(`^(${Topic.options.join('|')})(,(${Topic.options.join('|')}))*$`))
      .optional()
      .describe(`Topics, separated by commas: ${Topic.options.join(', ')}; all unless given`),
    last_event_id: z
      .string()
      .regex(/^\d{1,18}-\d{1,18}$/)
      .optional()
      .describe('Id of the last event that was read'),
  }),
  answer: text('text/event-stream'),
  errors: KNOWN_CALLER,
};
const auditExport: PlainRoute = {
  name: 'export_audit',
  method: 'get',
  path: '/audit/export',
  summary: 'The sealed record of the organisation, or a range of it, one JSON object a line.',
  query: z.strictObject({ from: RecordPlace.optional(), to: RecordPlace.optional() }),
  answer: text('application/x-ndjson'),
  errors: KNOWN_CALLER,
};
const auditKeys: PlainRoute = {
  name: 'get_audit_keys',
  method: 'get',
  path: '/audit/keys',
  summary: 'Public keys that checkpoints of the record are verified with, as a JWK set.',
  public: true,
  answer: { type: 'application/json', schema: Keys },
  errors: ['unavailable'],
};
const profileKeys: PlainRoute = {
  name: 'get_profile_keys',
  method: 'get',
  path: '/profiles/keys',
  summary: 'Public keys that signed profile bundles are verified with, as a JWK set.',
  public: true,
  answer: { type: 'application/json', schema: Keys },
  errors: ['unavailable'],
};
const signInPage: PlainRoute = {
  name: 'codec_sign_in_page',
  method: 'get',
  path: '/codec/sign-in',
  summary: 'The page on which administrators sign in to read histories in the Temporal Web UI.',
  public: true,
  answer: text('text/html'),
  errors: [],
};
const signIn: PlainRoute = {
  name: 'codec_sign_in',
  method: 'post',
  path: '/codec/sign-in',
  summary: 'Sets the cookie with which the Temporal Web UI calls the codec endpoint.',
  public: true,
  form: z.object({ key: z.string().describe('Access token or API key of an administrator') }),
  answer: text('text/plain'),
  errors: [...KNOWN_CALLER, 'malformed_body', 'payload_too_large', 'unsupported_media_type'],
};
const health: PlainRoute = {
  name: 'health',
  method: 'get',
  path: '/health',
  summary: 'State of the API and what it needs; 200 whatever the state.',
  public: true,
  answer: { type: 'application/json', schema: Health },
  errors: [],
};
const live: PlainRoute = {
  name: 'health_live',
  method: 'get',
  path: '/health/live',
  summary: 'Says that the process answers.',
  public: true,
  answer: { type: 'application/json', schema: Alive },
  errors: [],
};
const status: PlainRoute = {
  name: 'status',
  method: 'get',
  path: '/status',
  summary: 'Says that the API answers, and its version.',
  public: true,
  answer: { type: 'application/json', schema: Alive.extend({ version: z.string() }) },
  errors: [],
};

const orgImport: PlainRoute = {
  name: 'import_org_chart',
  method: 'post',
  path: '/admin/org/import',
  summary: 'Make the organisation what a CSV file says; all of it, or nothing.',
  description:
    'The file as multipart/form-data in the field file, or as text/csv; at most 64 MiB, UTF-8. Columns: user_id, ' +
    'reports_to_id, name, role, email, department, and if wanted title, locale, status, manager_email. Who is not in ' +
    'the file leaves. Answers 201, or 200 for a dry run.',
  query: z.strictObject({
    dry_run: z.enum(['true', 'false']).optional().describe('Only work out what would change'),
    confirm_deactivations: z.enum(['true', 'false']).optional().describe('More than a fifth of the people leave'),
  }),
  keyed: true,
  bodies: {
    'multipart/form-data': z.object({
      file: z.string().describe('The CSV file'),
      dry_run: z.enum(['true', 'false']).optional(),
      confirm_deactivations: z.enum(['true', 'false']).optional(),
    }),
    'text/csv': z.string(),
  },
  answer: { type: 'application/json', schema: ImportAnswer },
  others: [{ status: 201, description: 'Imported', type: 'application/json', schema: ImportAnswer }],
  errors: [
    ...KNOWN_CALLER,
    'malformed_body',
    'invalid_org_chart',
    'import_running',
    'last_administrator',
    'payload_too_large',
    'unsupported_media_type',
    'idempotency_key_reused',
    'too_many_deactivations',
  ],
};
const orgExport: PlainRoute = {
  name: 'export_org_chart',
  method: 'get',
  path: '/admin/org/export',
  summary: 'The org chart as a CSV file that the import takes; cells are safe to open in a spreadsheet.',
  answer: text('text/csv'),
  errors: KNOWN_CALLER,
};

/** Every described route that is no operation. */
export const plainRoutes: readonly PlainRoute[] = [
  stream,
  auditExport,
  auditKeys,
  profileKeys,
  signInPage,
  signIn,
  health,
  live,
  status,
  orgImport,
  orgExport,
  ...signInRoutes,
  ...scimRoutes,
];
