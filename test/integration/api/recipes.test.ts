import test from 'ava';
import type { ExecutionContext } from 'ava';

import { recipeScheduleId } from '../../../contracts/recipe-workflow.ts';
import type { RecipeRunView, RecipeView } from '../../../contracts/recipes.ts';
import type { Profile } from '../../../directory/profile-schema.ts';
import { syncRecipeSchedules } from '../../../workers/recipe-schedules.ts';
import { callerOf } from '../../support/caller.ts';
import type { Caller } from '../../support/caller.ts';
import { eventually } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let profiles: ReadonlyMap<Profile['role'], Profile>;

const hasty = (profile: Profile): Profile => ({
  ...profile,
  recipes: profile.recipes.map((recipe) => ({ ...recipe, complete_within: '1s' })),
});
const switchedOff = (profile: Profile): Profile => ({
  ...profile,
  recipes: profile.recipes.map((recipe) => ({ ...recipe, enabled: false, timezone: 'Asia/Tokyo' })),
});

test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({
    adjust: (all) => {
      const [support, marketing] = [all.get('support'), all.get('marketing')];
      if (support) all.set('support', hasty(support));
      if (marketing) all.set('marketing', switchedOff(marketing));
      profiles = all;
    },
  });
});
test.after.always(() => stack.close());

const by = (name: string): Caller => callerOf(stack, name);
const administrator = (): Caller => by('Helena Voss');
const sync = (): Promise<void> =>
  syncRecipeSchedules(
    { ...stack, profilesOf: () => Promise.resolve(profiles), log: { warn: () => undefined } },
    stack.organisationId,
  );
const scheduleOf = (role: Profile['role'], recipe: string) =>
  stack.client.schedule.getHandle(
    recipeScheduleId({ organisation_id: stack.organisationId, role, recipe }, stack.taskQueue),
  );

async function run(t: ExecutionContext, who: Caller, role: string, name: string): Promise<RecipeRunView> {
  const { status, body } = await who.post<RecipeRunView>(`/recipes/${role}/${name}/run`);
  t.is(status, 202, JSON.stringify(body));
  return body;
}
const ended = (who: Caller, id: string): Promise<RecipeRunView> =>
  eventually(
    async () => (await who.get<RecipeRunView>(`/recipe-runs/${id}`)).body,
    ({ status }) => status !== 'running',
  );
async function claim(t: ExecutionContext, agent: Caller, taskId: string | null): Promise<string> {
  const { status, body } = await agent.post(`/tasks/${taskId ?? ''}/claim`);
  t.is(status, 200, JSON.stringify(body));
  return body.task_id;
}
const titlesFor = async (who: Caller): Promise<string[]> =>
  (await who.get<{ notifications: { title: string }[] }>('/notifications?limit=200')).body.notifications.map(
    ({ title }) => title,
  );

test('DIR-5: a run is a task with the recipe for the agents of its role; its end is on record and told', async (t) => {
  const agent = by('finance-agent');
  const begun = await run(t, agent, 'finance', 'weekly-spend-report');
  t.like(begun, { status: 'running', trigger: 'manual', role: 'finance', started_by: agent.id });
  const task = await claim(t, agent, begun.task_id);
  const { data, task_type } = (
    await agent.get<{ data: { parameters: { as_of: string } }; task_type: string }>(`/tasks/${task}`)
  ).body;
  t.is(task_type, 'recipe');
  t.like(data, { recipe: 'weekly-spend-report', run_id: begun.run_id, definition: { title: 'Weekly spend report' } });
  t.regex(data.parameters.as_of, /^\d{4}-\d\d-\d\d$/);

  const wrong = await agent.post(`/tasks/${task}/complete`, { result: { summary: 'Nothing', total: 'much' } });
  t.is(wrong.status, 422, 'a result must have the form that the recipe asks for');
  const result = { summary: 'Within the budget.', total: 120.5, over_budget: [] };
  t.is((await agent.post(`/tasks/${task}/complete`, { result })).status, 200);
  t.like(await ended(agent, begun.run_id), { status: 'completed', task_id: task });
  t.true((await titlesFor(agent)).includes('Recipe weekly-spend-report completed'));
  const lines = await asOwner<{ action: string }>(
    stack,
    'SELECT action FROM audit_events WHERE subject_id = $1 ORDER BY position',
    [begun.run_id],
  );
  t.deepEqual(
    lines.map(({ action }) => action),
    ['recipe.started', 'recipe.completed'],
  );
});

test('DIR-5: a run whose task fails is told as failed', async (t) => {
  const agent = by('hr-agent');
  const { run_id, task_id } = await run(t, agent, 'hr', 'weekly-onboarding');
  await claim(t, agent, task_id);
  t.is((await agent.post(`/tasks/${task_id ?? ''}/fail`, { reason: 'The list cannot be read.' })).status, 200);
  t.like(await ended(agent, run_id), { status: 'failed' });
  t.true((await titlesFor(agent)).includes('Recipe weekly-onboarding failed'));
});

test('DIR-5: a run that nobody carries out in time is given up, and its task is cancelled', async (t) => {
  const agent = by('support-agent');
  const { run_id, task_id } = await run(t, agent, 'support', 'daily-ticket-summary');
  t.like(await ended(agent, run_id), { status: 'overdue' });
  await eventually(
    async () => (await agent.get(`/tasks/${task_id ?? ''}`)).body.status,
    (status) => status === 'cancelled',
  );
});

test.serial('DIR-5: schedules are in Temporal with their time zone, run by it, and never overlap', async (t) => {
  await sync();
  const schedule = scheduleOf('legal', 'contract-expiry-alerts');
  const { spec, policies } = await schedule.describe();
  t.is(policies.overlap, 'SKIP');
  t.is(spec.timezone ?? 'UTC', 'UTC');
  t.is((await scheduleOf('marketing', 'competitor-watch').describe()).spec.timezone, 'Asia/Tokyo');
  t.true((await scheduleOf('marketing', 'competitor-watch').describe()).state.paused, 'switched off by its profile');

  const agent = by('legal-agent');
  const runs = async (): Promise<RecipeRunView[]> =>
    (await agent.get<{ runs: RecipeRunView[] }>('/recipes/legal/contract-expiry-alerts/runs')).body.runs;
  await schedule.trigger('SKIP');
  const [first] = await eventually(runs, (all) => all.length === 1);
  t.like(first, { trigger: 'schedule', started_by: 'switchboard', status: 'running' });
  await schedule.trigger('SKIP');
  // A schedule waits for nobody: its task may still be on the way.
  await eventually(
    async () => (await agent.get(`/tasks/${first?.task_id ?? ''}`)).status,
    (status) => status === 200,
  );
  const task = await claim(t, agent, first?.task_id ?? null);
  const result = { summary: 'None ends.', ending: [], urgent: 0 };
  t.is((await agent.post(`/tasks/${task}/complete`, { result })).status, 200);
  await eventually(runs, (all) => all[0]?.status === 'completed');
  t.is((await runs()).length, 1, 'the second did not run beside the first');
});

test.serial('DIR-5: only administrators pause a schedule; it holds at once and for good', async (t) => {
  await sync();
  const path = '/recipes/developer/daily-pr-review';
  const view = async (): Promise<RecipeView> => (await by('developer-agent').get<RecipeView>(path)).body;
  t.false((await view()).paused);
  t.is((await by('developer-agent').put(`${path}/pause`, { paused: true })).status, 403);
  t.is((await administrator().put(`${path}/pause`, { paused: true })).status, 200);
  t.like(await view(), { paused: true, next_run_at: null });
  const schedule = scheduleOf('developer', 'daily-pr-review');
  t.true((await schedule.describe()).state.paused);
  await sync();
  t.true((await schedule.describe()).state.paused, 'the upkeep knows');
  t.is((await administrator().put(`${path}/pause`, { paused: false })).status, 200);
  await sync();
  t.false((await schedule.describe()).state.paused);
  t.truthy((await view()).next_run_at);
});

test.serial('DIR-5: a recipe that left its profile leaves Temporal too', async (t) => {
  await sync();
  const analyst = profiles.get('analyst');
  if (!analyst) throw new Error('There is no analyst.');
  const without = new Map(profiles).set('analyst', { ...analyst, recipes: analyst.recipes.slice(1) });
  const deps = { ...stack, profilesOf: () => Promise.resolve(without), log: { warn: () => undefined } };
  const gone = scheduleOf('analyst', analyst.recipes[0]?.name ?? '');
  await t.notThrowsAsync(gone.describe());
  await syncRecipeSchedules(deps, stack.organisationId);
  await eventually(
    () =>
      gone.describe().then(
        () => 'there',
        () => 'gone',
      ),
    (seen) => seen === 'gone',
  );
});

test('DIR-5: next runs follow the time zone', async (t) => {
  const { recipes } = (await by('analyst-agent').get<{ recipes: RecipeView[] }>('/recipes')).body;
  t.deepEqual(
    recipes.map(({ name }) => name),
    ['daily-kpi', 'process-bottlenecks', 'time-study'],
  );
  const next = new Date(recipes[0]?.next_run_at ?? '');
  t.is(next.getUTCHours(), 7);
  t.true(next.getTime() > Date.now());
});

test('POL-1, POL-3: recipes and runs of other roles and organisations are out of reach', async (t) => {
  const { run_id } = await run(t, by('manager-agent'), 'manager', 'daily-standup');
  t.is((await by('hr-agent').get(`/recipe-runs/${run_id}`)).status, 404);
  t.is((await callerOf(stack, 'Helena Voss', 'other').get(`/recipe-runs/${run_id}`)).status, 404);
  t.is((await by('hr-agent').get('/recipes?role=finance')).status, 403);
  t.is((await by('hr-agent').post('/recipes/finance/weekly-spend-report/run')).status, 403);
  t.is((await administrator().get('/recipes?role=finance')).status, 200);
});

test('X-1: what is no recipe is refused, with what is wrong', async (t) => {
  const who = administrator();
  for (const [path, status] of [
    ['/recipes/finance/no-such', 404],
    ['/recipes/finance/%2e%2e%2fsecrets', 400],
    ['/recipes/nobody/weekly-spend-report', 400],
    ['/recipe-runs/run_x', 400],
    [`/recipe-runs/run_01890000-0000-7000-8000-000000000000`, 404],
  ] as const)
    t.is((await who.get(path)).status, status, path);
  t.is((await who.post('/recipes/finance/no-such/run')).status, 404);
  t.is((await who.put('/recipes/finance/weekly-spend-report/pause', { paused: 'yes' })).status, 400);
});
