import { z } from 'zod';

/** Ids and positions in hexadecimal, ASCII letters, digits and `.:_-`: the schema says exactly which texts are cursors. */
const CURSOR = /^(2[de]|3[0-9a]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])+$/;
/** A place in the record in hexadecimal: a number that a bigint holds. */
const POSITION = /^(3[0-9]){1,18}$/;

const ByPosition = z
  .string()
  .regex(POSITION, 'must be the cursor of an earlier answer')
  .optional()
  .describe('Where to go on: next_cursor of the answer before');

/** Fields of every list request. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Items at most, 1 to 200'),
  cursor: z
    .string()
    .max(400)
    .regex(CURSOR, 'must be the cursor of an earlier answer')
    .optional()
    .describe('Where to go on: next_cursor of the answer before'),
  sort: z.enum(['-created', 'created']).default('-created').describe('Newest first, or oldest first'),
};

/** The same for lists of the record, which go by position. */
export const recordPageFields = { ...pageFields, cursor: ByPosition };

/** The end of every list answer. */
export const NextCursor = z.string().nullable().describe('Cursor of the next page; null at the end');
