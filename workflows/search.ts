import { TypedSearchAttributes } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';

import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';

/** Lets operators find the workflow by where it stands; ids and states only. */
export function showStatus(status: string, agent: string | null = null): void {
  const pairs = [{ key: SEARCH_ATTRIBUTES.status, value: status }];
  upsertSearchAttributes(agent === null ? pairs : [...pairs, { key: SEARCH_ATTRIBUTES.agent, value: agent }]);
}

/** What operators find a workflow by that another workflow starts. */
export const attributesOf = (values: Partial<Record<keyof typeof SEARCH_ATTRIBUTES, string>>): TypedSearchAttributes =>
  new TypedSearchAttributes(
    Object.entries(values).map(([name, value]) => ({
      key: SEARCH_ATTRIBUTES[name as keyof typeof SEARCH_ATTRIBUTES],
      value,
    })),
  );
