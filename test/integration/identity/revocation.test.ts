import test from 'ava';

import { eventually, rest } from '../../support/rest.ts';
import { developmentProvider } from '../../support/identity/provider.ts';
import { openSignInScene } from '../../support/identity/scene.ts';
import type { SignInScene } from '../../support/identity/scene.ts';

let scene: SignInScene;
test.before(async (t) => {
  t.timeout(180_000);
  scene = await openSignInScene(await developmentProvider());
});
test.after.always(() => scene.close());

type Fields = Record<string, unknown>;
const call = (token: string, method: string, path: string, body?: Fields) =>
  rest<Fields>(scene.stack.apiUrl, token, method, path, body ? { body } : {});
const status = async (token: string): Promise<number> => (await call(token, 'GET', '/me')).status;
const refusedSoon = (look: () => Promise<number>): Promise<number> => eventually(look, (one) => one === 401, 5_000);
/** Tokens count in seconds: one that was issued in the second of a revocation ends too. */
const nextSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_100));

test.serial(
  'IDN-1: people end all their sessions and tokens, and those of their agents, within five seconds',
  async (t) => {
    const { browser } = await scene.signIn('Felix Amaro');
    const [web, desktop, other] = [
      await scene.webToken('Felix Amaro'),
      await scene.desktopToken('Felix Amaro'),
      await scene.webToken('Helena Voss'),
    ];
    const inBrowser = async (): Promise<number> => (await browser.request(`${scene.stack.apiUrl}/me`)).status;
    t.deepEqual([await inBrowser(), await status(web), await status(desktop)], [200, 200, 200]);
    const { status: code, body } = await call(web, 'POST', '/auth/sessions/revoke', {});
    t.is(code, 200);
    t.like(body, { user_id: scene.stack.ids['Felix Amaro'] ?? '', sessions: 1 });
    t.true(Number(body['agents']) >= 1);
    await Promise.all([refusedSoon(inBrowser), refusedSoon(() => status(web)), refusedSoon(() => status(desktop))]);
    t.is(await status(other), 200, 'nobody else is signed out');
    await nextSecond();
    t.is(await status(await scene.webToken('Felix Amaro')), 200, 'who signs in anew is let in');
    const events = await scene.stack.database.inOrganisation(scene.stack.organisationId, (sql) =>
      sql.query<Fields>("SELECT actor_id, subject_id, policies FROM audit_events WHERE action = 'identity.ended'"),
    );
    const id = scene.stack.ids['Felix Amaro'] ?? '';
    t.deepEqual(events, [{ actor_id: id, subject_id: id, policies: ['members-end-their-own-sign-ins'] }]);
  },
);

test.serial(
  'IDN-1, POL-3: administrators end anybody’s of their organisation; nobody else, and no agent',
  async (t) => {
    const { stack } = scene;
    const [admin, greta] = [await scene.webToken('Helena Voss'), await scene.webToken('Greta Mbeki')];
    const user_id = stack.ids['Greta Mbeki'] ?? '';
    const tobias = await scene.webToken('Tobias Renn');
    const agent = await scene.desktopToken('Greta Mbeki');
    for (const token of [tobias, agent])
      t.is((await call(token, 'POST', '/auth/sessions/revoke', { user_id })).status, 403);
    t.is((await call(agent, 'POST', '/auth/sessions/revoke', {})).status, 403, 'an agent signs nobody out');
    t.is(await status(greta), 200);
    const stranger = stack.other.ids['Greta Mbeki'] ?? '';
    t.is((await call(admin, 'POST', '/auth/sessions/revoke', { user_id: stranger })).status, 404);
    t.is((await call(admin, 'POST', '/auth/sessions/revoke', { user_id })).status, 200);
    await refusedSoon(() => status(greta));
    t.is(await status(admin), 200);
  },
);
