import type { RecordActivities } from '../contracts/record.ts';
import { recordTransition } from '../db/record.ts';
import type { ActivityDeps } from './deps.ts';

/** Writes transitions; the statement itself is what makes them happen once. */
export const createRecordActivities = ({ database }: ActivityDeps): RecordActivities => ({
  record: (transition) => recordTransition(database, transition),
});
