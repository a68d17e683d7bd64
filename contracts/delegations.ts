import { z } from 'zod';

import { DelegationId, UserId } from './ids.ts';
import { defineOperation } from './operation.ts';
import { Timestamp } from './time.ts';

export const Delegation = z.object({
  id: DelegationId,
  user_id: UserId,
  delegate_id: UserId,
  valid_from: Timestamp,
  valid_until: Timestamp,
  absent: z.boolean(),
});
export type Delegation = z.infer<typeof Delegation>;

export const delegateApprovals = defineOperation({
  name: 'delegate_approvals',
  method: 'post',
  path: '/delegations',
  summary: 'Let somebody decide on your behalf for a while, e.g. during an absence.',
  input: z.strictObject({
    delegate_id: UserId,
    valid_from: Timestamp.optional().describe('From now unless given'),
    valid_until: Timestamp,
    absent: z.boolean().default(false).describe('You are away: approvals for you notify the delegate'),
  }),
  output: Delegation,
  action: 'approval:delegate',
  status: 201,
  errors: ['not_found', 'illegal_transition'],
});

export const listDelegations = defineOperation({
  name: 'list_delegations',
  method: 'get',
  path: '/delegations',
  summary: 'List your delegations, given and received.',
  input: z.strictObject({}),
  output: z.object({ delegations: z.array(Delegation) }),
  action: 'approval:delegate',
});

export const endDelegation = defineOperation({
  name: 'end_delegation',
  method: 'delete',
  path: '/delegations/{delegation_id}',
  summary: 'End a delegation that you gave.',
  input: z.strictObject({ delegation_id: DelegationId }),
  output: Delegation,
  action: 'approval:delegate',
  errors: ['not_found'],
});
