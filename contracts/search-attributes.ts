import { defineSearchAttributeKey } from '@temporalio/common';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

/** What operators find workflows by in the Temporal Web UI. Ids and states only, nothing personal. */
export const SEARCH_ATTRIBUTES = {
  organisation: keyword('SwitchboardOrganisation'),
  kind: keyword('SwitchboardKind'),
  status: keyword('SwitchboardStatus'),
  role: keyword('SwitchboardRole'),
  agent: keyword('SwitchboardAgent'),
  session: keyword('SwitchboardSession'),
} as const;
