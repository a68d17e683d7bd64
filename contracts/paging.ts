import { z } from 'zod';

/** Fields of every list request. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Items at most, 1 to 200'),
  cursor: z
    .string()
    .max(400)
    .regex(/^[\w-]+$/, 'must be a cursor from an earlier answer')
    .optional()
    .describe('Where to go on: next_cursor of the answer before'),
  sort: z.enum(['-created', 'created']).default('-created').describe('Newest first, or oldest first'),
};

/** The end of every list answer. */
export const NextCursor = z.string().nullable().describe('Cursor of the next page; null at the end');
