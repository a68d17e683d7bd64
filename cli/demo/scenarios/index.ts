import type { Stage } from '../stage.ts';
import { departments } from './departments.ts';
import { expense } from './expense.ts';
import { legal } from './legal.ts';

export type ScenarioName = 'expense' | 'legal' | 'departments';

/** The scenarios in the order they are played. */
export const SCENARIOS: Readonly<Record<ScenarioName, { title: string; play: (stage: Stage) => Promise<unknown> }>> = {
  expense: { title: 'Expense approval: finance → manager', play: expense },
  legal: { title: 'Legal review in one session: finance → legal → manager', play: legal },
  departments: { title: 'Cross-department workflow: hr → finance → manager', play: departments },
};
