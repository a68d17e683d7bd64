import { getApproval, requestApproval, respondToApproval } from '../../../contracts/approvals.ts';
import type { Agent } from '../agent.ts';
import type { Stage } from '../stage.ts';

/** Two different managers have to agree; one, however often, is not enough. */
export async function quorum(stage: Stage, manager: Agent, task_id: string): Promise<void> {
  const { id: approval_id } = await stage.step(manager, 'asks for the approval of two managers', () =>
    manager.call(requestApproval, {
      task_id,
      reason: 'A seat that is not in the plan.',
      approvers: { roles: ['manager'], quorum: 2 },
    }),
  );
  await stage.agree('APPR-2', approval_id, 'pending', manager);
  const [marcus, ines] = [stage.person('Marcus Oduya'), stage.person('Ines Calder')];
  await stage.step(marcus, 'approves', () => marcus.call(respondToApproval, { approval_id, decision: 'approve' }));
  await stage.agree('APPR-2', approval_id, 'pending', manager);
  await stage.step(marcus, 'approves once more', () =>
    marcus.call(respondToApproval, { approval_id, decision: 'approve' }),
  );
  const { votes } = await stage.observer.call(getApproval, { approval_id });
  stage.same('APPR-2', 'votes after the same person approved twice', votes.length, 1);
  await stage.agree('APPR-2', approval_id, 'pending', manager);
  await stage.step(ines, 'approves', () => ines.call(respondToApproval, { approval_id, decision: 'approve' }));
  await stage.agree('APPR-2', approval_id, 'approved', manager);
}
