import { z } from 'zod';

import type { EntityType, Role } from './principal.ts';

/** Reference to text that is kept in the database; workflows carry only this. */
export const ContentRef = z
  .string()
  .regex(/^cont_[0-9a-f-]{36}$/)
  .describe('Id of stored content');
export type ContentRef = z.infer<typeof ContentRef>;

/** How many values of each type were replaced by pseudonyms. */
export type MaskCounts = Partial<Record<EntityType, number>>;

/** What was masked, as the sender is told: types and counts, never values. */
export const MaskedSummary = z
  .array(
    z.object({
      type: z.string().describe('Kind of personal value'),
      count: z.number().int().describe('How many were replaced by pseudonyms'),
      visible_to_receiver: z.boolean().describe('Whether the receiver is cleared to see them'),
    }),
  )
  .describe('What was masked: types and counts');
export type MaskedSummary = z.infer<typeof MaskedSummary>;

export interface MaskRequest {
  readonly organisation_id: string;
  /** Sealed content to mask; masking it again gives the first answer. */
  readonly content: ContentRef;
  /** Whose clearance decides what the receiver will see. */
  readonly receiver_role: Role | null;
}

export interface UnmaskRequest {
  readonly organisation_id: string;
  readonly content: ContentRef;
  readonly clearance: readonly EntityType[];
}

export interface GuardActivities {
  /** Replaces personal values of sealed content by pseudonyms and drops the clear text. */
  mask(request: MaskRequest): Promise<MaskedSummary>;
  /** Reads masked content, in clear where the clearance allows. */
  unmask(request: UnmaskRequest): Promise<unknown>;
}
