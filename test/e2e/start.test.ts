import { existsSync, statSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { openPerson } from '../../cli/demo/person.ts';
import type { Person } from '../../cli/demo/person.ts';
import { readPasswords } from '../../cli/demo/passwords.ts';
import { personTokens } from '../../cli/demo/sign-in.ts';
import { getTask, routeTask } from '../../contracts/tasks.ts';
import { issuerOf } from '../../platform/sign-in/client.ts';
import { isAlive } from '../../platform/process-info.ts';
import { startCommand } from '../support/scenario-program.ts';
import type { Command } from '../support/scenario-program.ts';
import { ANY_PORTS, scenarioFolder } from '../support/scenario-stack.ts';

const linux = process.platform === 'linux' ? test : test.skip;

/** The value of a line such as `API              http://…`. */
const valueOf = async (command: Command, name: string): Promise<string> =>
  (await command.line(new RegExp(`^${name} {2,}`))).replace(/^.* {2,}/, '');

async function signIn(command: Command, name: string): Promise<Person> {
  const { people } = readPasswords(await valueOf(command, 'Passwords'));
  const who = people.find((one) => one.name === name);
  if (!who) throw new Error(`${name} has no account.`);
  const apiUrl = await valueOf(command, 'API');
  const issuer = await issuerOf({ apiUrl });
  const tokens = personTokens({ apiUrl, issuer, clientId: 'switchboard-web', audience: 'urn:switchboard:api' }, who);
  return openPerson({ id: '', name, role: 'manager', token: () => tokens.token() }, apiUrl);
}

/** Ctrl-C, as the terminal sends it. */
async function interrupt(command: Command): Promise<{ code: number | string; left: number[] }> {
  const tree = command.tree();
  process.kill(command.pid, 'SIGINT');
  return { code: await command.ended, left: tree.filter(isAlive) };
}

linux(
  'OPS-1, X-8: npm start runs everything, Ctrl-C leaves nothing running, and data stays between two starts',
  async (t) => {
    t.timeout(120_000);
    const { folder, remove } = scenarioFolder();
    t.teardown(remove);
    const env = { ...ANY_PORTS, SWITCHBOARD_DATA_DIR: folder };
    const start = (): Command => {
      const command = startCommand(['cli/main.ts', 'start'], env);
      t.teardown(() => command.kill());
      return command;
    };

    const first = start();
    await first.line(/^Switchboard is ready/);
    for (const name of ['API', 'Documentation', 'MCP over HTTP', 'Temporal Web UI']) {
      const address = await valueOf(first, name);
      t.regex(address, /^http:\/\/127\.0\.0\.1:\d+/, name);
      t.true((await fetch(address)).status < 500, name);
    }
    t.false(existsSync(path.join(folder, 'keys.json')), 'people and agents sign in: nobody has a key');
    for (const secret of ['passwords.json', 'identity-secrets.json', 'master.key'])
      t.is(statSync(path.join(folder, secret)).mode & 0o777, 0o600, secret);
    t.true(first.tree().length >= 6, 'Postgres, Temporal, API, worker and MCP server are below it');
    const sender = await signIn(first, 'Tobias Renn');
    const { task_id } = await sender.call(routeTask, {
      target: 'manager',
      type: 'check',
      title: 'Kept between starts',
    });
    t.deepEqual(await interrupt(first), { code: 0, left: [] });

    const second = start();
    await second.line(/^Switchboard is ready/);
    const task = await (await signIn(second, 'Tobias Renn')).call(getTask, { task_id });
    t.deepEqual([task.title, task.status], ['Kept between starts', 'pending']);
    t.deepEqual(await interrupt(second), { code: 0, left: [] });
  },
);
