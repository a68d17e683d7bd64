import type { ElicitRequestFormParams } from '@modelcontextprotocol/server';
import { z } from 'zod';

import { Verdict } from '../../contracts/approvals.ts';
import type { ApprovalView } from '../../contracts/approvals.ts';
import { approvalDetails } from '../text/approvals.ts';

const LONGEST = 6_000;

/** The form that a person is asked to decide by. Flat, as the protocol demands of forms. */
const FORM: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    decision: {
      type: 'string',
      title: 'Your decision',
      description: 'Leave the form (decline or cancel) to decide later; nothing is decided then.',
      enum: [...Verdict.options],
    },
    comment: { type: 'string', title: 'Comment', description: 'For the requester', maxLength: 5_000 },
  },
  required: ['decision'],
};

/** What a filled-in form must be. Any other word than the three decides nothing (APPR-5). */
const FilledForm = z.object({ decision: Verdict, comment: z.string().max(5_000).optional() });

/** A person's decision, as the form gives it. */
export type FormDecision = z.infer<typeof FilledForm>;

/** The question put to a person who may decide an approval, with everything that person may see of it. */
export function questionOf(approval: ApprovalView): ElicitRequestFormParams {
  const details = approvalDetails(approval);
  const shown = details.length > LONGEST ? `${details.slice(0, LONGEST)} … (all of it in your inbox)` : details;
  return {
    mode: 'form',
    message: `An agent asks for your approval. What follows is what the requester says.\n\n${shown}`,
    requestedSchema: FORM,
  };
}

/** Reads a filled-in form; undefined for anything that is not exactly a decision. */
export function decisionIn(content: unknown): FormDecision | undefined {
  const parsed = FilledForm.safeParse(content);
  if (!parsed.success) return undefined;
  const { decision, comment } = parsed.data;
  return comment === undefined || comment.trim() === '' ? { decision } : { decision, comment };
}
