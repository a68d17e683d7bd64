import { z } from 'zod';

import { UserId } from './ids.ts';
import { defineOperation } from './operation.ts';

export const revokeSignIns = defineOperation({
  name: 'revoke_sign_ins',
  method: 'post',
  path: '/auth/sessions/revoke',
  summary: 'End all browser sessions and access tokens of a person and of the agents that act for them.',
  description:
    'People end their own, the one that asks among them; administrators those of anybody. Within five seconds all is refused that was issued until now. Whoever can still sign in at the OpenID provider can sign in again.',
  input: z.strictObject({ user_id: UserId.optional().describe('Whose; yours unless given') }),
  output: z.object({
    user_id: UserId,
    sessions: z.number().int().describe('Browser sessions that ended'),
    agents: z.number().int().describe('Agents of the person whose tokens ended'),
  }),
  action: 'session:revoke',
  errors: ['forbidden', 'not_found'],
});
