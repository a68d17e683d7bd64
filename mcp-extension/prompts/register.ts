import { completable } from '@modelcontextprotocol/server';
import type { GetPromptResult, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

import { ROLES } from '../../contracts/principal.ts';
import type { Role } from '../../contracts/principal.ts';
import { DEPARTMENT_WORK, EXPENSE_APPROVAL, LEGAL_REVIEW } from './texts.ts';

const LONGEST = 4_000;

const startingWith = (value: string): Role[] => ROLES.filter((role) => role.startsWith(value.trim().toLowerCase()));
const role = (description: string) =>
  completable(z.enum(ROLES, 'must be a role of the organisation').describe(description), (value) =>
    startingWith(value),
  );
const line = (description: string) => z.string().min(1).max(200).describe(description);
const prose = (description: string) => z.string().min(1).max(LONGEST).describe(description);

/** Offers a prompt for each of the three scenarios: expense approval, legal review, work across departments. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt(
    'expense_approval',
    {
      title: 'Expense approval',
      description: 'Have an expense approved by a person, and pay exactly what was approved.',
      argsSchema: z.object({
        amount: line('Amount with its currency, e.g. 14850 USD'),
        purpose: prose('What the money is for'),
        approver_role: role('Role that approves; manager unless given').optional(),
      }),
    },
    ({ amount, purpose, approver_role = 'manager' }) => said(EXPENSE_APPROVAL({ amount, purpose, approver_role })),
  );
  server.registerPrompt(
    'legal_review',
    {
      title: 'Legal review',
      description: 'Open a session with legal, have a document reviewed, and get the outcome approved.',
      argsSchema: z.object({
        document: prose('What is to be reviewed, or where it is'),
        question: prose('What you need to know').optional(),
      }),
    },
    ({ document, question = 'May we sign this?' }) => said(LEGAL_REVIEW({ document, question })),
  );
  server.registerPrompt(
    'department_work',
    {
      title: 'Work across departments',
      description: 'Split work between two departments in one session, follow both, and bring the results together.',
      argsSchema: z.object({
        goal: prose('What is to be reached'),
        first_role: role('First department that takes part'),
        second_role: role('Second department that takes part'),
      }),
    },
    ({ goal, first_role, second_role }) => said(DEPARTMENT_WORK({ goal, first_role, second_role })),
  );
}

const said = (text: string): GetPromptResult => ({
  messages: [{ role: 'user', content: { type: 'text', text } }],
});
