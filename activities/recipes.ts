import { ID_PREFIXES } from '../contracts/ids.ts';
import type { Json } from '../contracts/json.ts';
import { refused } from '../contracts/parse.ts';
import type { RecipeActivities } from '../contracts/recipe-workflow.ts';
import { durationSeconds } from '../contracts/time.ts';
import { putSealed } from '../db/contents.ts';
import type { ProfileRecipe } from '../directory/recipes.ts';
import { newId } from '../platform/ids.ts';
import type { ActivityDeps } from './deps.ts';

/** The day of a moment in a time zone, e.g. 2026-03-01. */
const dayIn = (timezone: string, moment: Date): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' }).format(moment);

/** Turns recipes into tasks. */
export const createRecipeActivities = ({
  database,
  envelope,
  profilesOf,
  recipes,
}: ActivityDeps): RecipeActivities => ({
  newRecipeRun: () => Promise.resolve({ run_id: newId('run'), trace_id: newId('run').slice(4) }),

  async prepareRecipe({ organisation_id, run_id, role, recipe: name, trigger }) {
    const profiles = await profilesOf(organisation_id);
    const entry = profiles.get(role)?.recipes.find((one) => one.name === name);
    const definition = entry && recipes.get(entry.path);
    if (!entry || !definition) throw refused({ code: 'not_found', detail: `The role ${role} has no recipe ${name}.` });
    if (!entry.enabled && trigger === 'schedule')
      throw refused({ code: 'illegal_transition', detail: `The recipe ${name} is switched off.` });
    // Ids follow from the run's, so that a repetition keeps nothing twice.
    const uuid = run_id.slice(run_id.indexOf('_') + 1);
    const [task_id, content] = [`${ID_PREFIXES.task}_${uuid}`, `${ID_PREFIXES.content}_${uuid}`];
    const words = wordsOf(entry, definition as unknown as Json, { run_id, role, trigger });
    const sealed = envelope.seal(organisation_id, content, words);
    await database.inOrganisation(organisation_id, (sql) => putSealed(sql, content, sealed));
    return { task_id, content, complete_seconds: durationSeconds(entry.complete_within) };
  },
});

interface Occasion {
  readonly run_id: string;
  readonly role: string;
  readonly trigger: string;
}

/** What the agent gets: the recipe file as it is, with the values of its parameters. */
function wordsOf(entry: ProfileRecipe, definition: Json, { run_id, role, trigger }: Occasion): Json {
  const { title, description, response } = definition as {
    title: string;
    description: string;
    response?: { json_schema: Json };
  };
  const parameters = { as_of: dayIn(entry.timezone, new Date()), role };
  return {
    type: 'recipe',
    title,
    description,
    data: { recipe: entry.name, run_id, trigger, parameters, definition },
    context: null,
    output_schema: response?.json_schema ?? null,
  };
}
