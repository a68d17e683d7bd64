import test from 'ava';

import { Limits } from '../../../api/limits/limits.ts';
import { limitSettings } from '../../../api/limits/settings.ts';
import { ApiError } from '../../../api/problem.ts';
import type { Principal } from '../../../contracts/principal.ts';
import { loadConfig } from '../../../platform/config.ts';
import { createLogger } from '../../../platform/log.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';
import { flood, tally } from './flood.ts';

let stack: TestStack;
test.before(async (t) => {
  t.timeout(180_000);
  stack = await startStack({ worker: false });
});
test.after.always(() => stack.close());

const principalOf = (name: string, of: Pick<TestStack, 'organisationId' | 'ids'> = stack): Principal => ({
  organisation_id: of.organisationId,
  kind: 'agent',
  id: of.ids[name] ?? '',
  name,
  role: 'finance',
  acts_for: null,
  administrator: false,
  clearance: [],
});

/** The limits of another API process on the same database. */
const process = (settings: object): Limits =>
  new Limits(
    { ...limitSettings(loadConfig({})), ...settings },
    { database: stack.database, log: createLogger({ name: 'test', level: 'silent' }) },
  );

const entered = (limits: Limits, principal: Principal): Promise<string> =>
  limits.enter('notify', principal, {}).then(
    () => 'in',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );

/** Windows are minutes of the clock: not begun when one is about to end. */
async function early(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 10_000) await new Promise((resolve) => setTimeout(resolve, left + 100));
}

test.serial('OPS-2: processes share one limit: together they let in no more than one would', async (t) => {
  t.timeout(60_000);
  await early();
  const processes = [1, 2, 3].map(() => process({ notificationsPerMinute: 500 }));
  const answers = await flood(2_000, 30, (n) => entered(processes[n % 3] ?? process({}), principalOf('finance-agent')));
  const { in: let_in = 0, rate_limited = 0 } = tally(answers);
  t.is(let_in + rate_limited, 2_000);
  t.true(let_in <= 500 && let_in >= 450, String(let_in));
  t.is(await entered(processes[0] ?? process({}), principalOf('hr-agent')), 'in', 'another one is not concerned');
  await Promise.all(processes.map((one) => one.close()));
});

test.serial('X-4, OPS-2: one organisation uses up nothing of another, and is bounded as a whole', async (t) => {
  t.timeout(60_000);
  await early();
  const limits = process({ creationsPerMinute: 10, organisationFactor: 2 });
  const send = (name: string, of?: Pick<TestStack, 'organisationId' | 'ids'>): Promise<string> =>
    limits.enter('send_task', principalOf(name, of), {}).then(
      () => 'in',
      (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
    );
  for (const name of ['finance-agent', 'hr-agent'])
    t.deepEqual(tally(await flood(12, 4, () => send(name))), { in: 10, rate_limited: 2 });
  t.is(await send('legal-agent'), 'rate_limited', 'the organisation has used up its share');
  t.is(await send('legal-agent', stack.other), 'in');
  await limits.close();
});

test.serial('X-2: a point that is given back can be used', async (t) => {
  t.timeout(60_000);
  await early();
  const limits = process({ creationsPerMinute: 3 });
  const principal = principalOf('manager-agent');
  for (let n = 0; n < 10; n += 1) (await limits.enter('open_session', principal, {})).giveBack();
  const answers = await flood(5, 1, () =>
    limits.enter('open_session', principal, {}).then(
      () => 1,
      () => 0,
    ),
  );
  t.deepEqual(tally(answers), { 1: 3, 0: 2 });
  await limits.close();
});

test.serial('OPS-2: most requests are counted without a round trip to the database', async (t) => {
  await early();
  let trips = 0;
  const database: typeof stack.database = {
    ...stack.database,
    inOrganisation: (id, work) => {
      trips += 1;
      return stack.database.inOrganisation(id, work);
    },
  };
  const limits = new Limits(limitSettings(loadConfig({})), {
    database,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  await flood(1_000, 10, () => limits.enter('send_task', principalOf('support-agent'), {}));
  t.true(trips <= 50, String(trips));
  await limits.close();
});
