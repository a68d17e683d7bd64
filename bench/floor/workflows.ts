import { condition, defineQuery, defineUpdate, proxyLocalActivities, setHandler } from '@temporalio/workflow';

/** The same messages and short activities as a task of the product, without anything in them. */
export interface FloorActivities {
  step(input: { readonly name: string }): Promise<{ readonly done: true }>;
}

const { step } = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '10 seconds' });

export const admission = defineUpdate<{ status: string }>('admission');
export const change = defineUpdate<{ status: string }, [{ type: string }]>('change');
export const state = defineQuery<{ status: string }>('state');

/** Waits for claim and complete; admitted by the update that starts it. */
export async function floorTask(_start: object): Promise<{ status: string }> {
  let status = 'admitting';
  setHandler(state, () => ({ status }));
  setHandler(admission, async () => {
    await condition(() => status !== 'admitting');
    return { status };
  });
  setHandler(change, async ({ type }) => {
    if (type === 'complete') await step({ name: 'mask' });
    await step({ name: 'record' });
    status = type === 'complete' ? 'completed' : 'active';
    return { status };
  });
  for (const name of ['admit', 'mask', 'record']) await step({ name });
  status = 'pending';
  await condition(() => status === 'completed');
  return { status };
}
