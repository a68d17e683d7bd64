import * as actor from '../contracts/actor.ts';
import * as approvalWorkflow from '../contracts/approval-workflow.ts';
import * as content from '../contracts/content.ts';
import * as deliveries from '../contracts/deliveries.ts';
import * as directoryWorkflow from '../contracts/directory-workflow.ts';
import * as errors from '../contracts/errors.ts';
import * as ids from '../contracts/ids.ts';
import * as json from '../contracts/json.ts';
import * as parse from '../contracts/parse.ts';
import * as principal from '../contracts/principal.ts';
import * as queues from '../contracts/queues.ts';
import * as recipeWorkflow from '../contracts/recipe-workflow.ts';
import * as record from '../contracts/record.ts';
import * as requirement from '../contracts/requirement.ts';
import * as searchAttributes from '../contracts/search-attributes.ts';
import * as sessionWorkflow from '../contracts/session-workflow.ts';
import * as taskWorkflow from '../contracts/task-workflow.ts';
import * as time from '../contracts/time.ts';

/**
 * Loaded once for all workflows of a worker, which share these modules instead of each evaluating a copy. The SDK freezes
 * deeply what is shared, but stops at what is frozen already: the list of exports is, the schemas behind it are not, since
 * zod keeps in them what it works out at first use. They hold no other state.
 */
for (const module of [
  actor,
  approvalWorkflow,
  content,
  deliveries,
  directoryWorkflow,
  errors,
  ids,
  json,
  parse,
  principal,
  queues,
  recipeWorkflow,
  record,
  requirement,
  searchAttributes,
  sessionWorkflow,
  taskWorkflow,
  time,
])
  Object.freeze(module);
