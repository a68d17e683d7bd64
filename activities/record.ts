import { ApplicationFailure } from '@temporalio/common';

import { SUPERSEDED_WRITER } from '../contracts/record.ts';
import type { RecordActivities } from '../contracts/record.ts';
import { recordTransition } from '../db/record.ts';
import { SupersededWriter } from '../db/writers.ts';
import type { ActivityDeps } from './deps.ts';

/** Writes transitions; the statement itself is what makes them happen once. */
export const createRecordActivities = ({ database }: ActivityDeps): RecordActivities => ({
  record: async (transition) => {
    try {
      return await recordTransition(database, transition);
    } catch (error) {
      if (error instanceof SupersededWriter) throw ApplicationFailure.nonRetryable(error.message, SUPERSEDED_WRITER);
      throw error;
    }
  },
});
