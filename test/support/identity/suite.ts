import type { TestFn } from 'ava';

import { eventually, rest } from '../rest.ts';
import { asOwner } from '../scene.ts';
import { Browser } from '../../../cli/demo/browser.ts';
import type { Page } from '../../../cli/demo/browser.ts';
import type { ProviderUnderTest } from './provider.ts';
import { MCP_AUDIENCE, openSignInScene } from './scene.ts';
import type { SignInScene } from './scene.ts';

/** What GET /me answers. */
export interface Me {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly role: string;
  readonly acts_for: string | null;
  readonly administrator: boolean;
  readonly clearance: readonly string[];
}

const OWN_PAGE = { 'sec-fetch-site': 'same-origin', 'x-switchboard-csrf': '1', 'content-type': 'application/json' };
const TASK = JSON.stringify({ target: 'legal', type: 'check', title: 'Sent from the browser' });
/** What a revocation, a sign-out or a leaver takes at most to be known everywhere. */
const WITHIN_MS = 5_000;

/** Every way to sign in, with a provider that is described: the same for the development provider and for others. */
export function signInSuite(test: TestFn, describe: () => Promise<ProviderUnderTest>): void {
  let scene: SignInScene;
  test.before('start', async () => {
    scene = await openSignInScene(await describe(), { worker: true });
  });
  test.after.always('stop', () => scene.close());

  const withToken = (token: string, url = scene.stack.apiUrl) => rest<Me>(url, token, 'GET', '/me');
  const withCookie = async (browser: Browser, url = scene.stack.apiUrl): Promise<{ page: Page; me: Me }> => {
    const page = await browser.request(`${url}/me`);
    return { page, me: JSON.parse(page.text) as Me };
  };
  const send = (browser: Browser, headers: Readonly<Record<string, string>>): Promise<Page> =>
    browser.request(`${scene.stack.apiUrl}/tasks/route`, { method: 'POST', body: TASK, headers });
  const sessionOf = (browser: Browser): string =>
    browser.cookies(scene.stack.apiUrl).get('switchboard_session') ?? 'no cookie';
  const eventsOf = async (userId: string | undefined): Promise<string[]> => {
    const rows = await asOwner<{ action: string }>(
      scene.stack,
      "SELECT action FROM audit_events WHERE actor_id = $1 AND category = 'identity' ORDER BY position",
      [userId ?? ''],
    );
    return rows.map(({ action }) => action);
  };
  const setActive = (userId: string | undefined, active: boolean) =>
    asOwner(scene.stack, 'UPDATE users SET active = $2 WHERE id = $1', [userId, active]);

  test('IDN-1: a person signs in by browser (code and PKCE), is who the directory says, and it is on record', async (t) => {
    const name = 'Tobias Renn';
    const { browser, page } = await scene.signIn(name, '/me');
    t.is(page.status, 200);
    t.is(page.url, `${scene.stack.apiUrl}/me`);
    const { me } = await withCookie(browser);
    t.is(me.id, scene.stack.ids[name] ?? '');
    t.is(me.kind, 'user');
    t.deepEqual(await eventsOf(me.id), ['identity.linked', 'identity.signed_in']);
  });

  test('IDN-1: what a token says of role and administrator is not believed', async (t) => {
    // The provider puts role: manager and administrator: true into everybody's tokens.
    const name = 'Priya Lindqvist';
    const [row] = await asOwner<{ role: string; administrator: boolean }>(
      scene.stack,
      'SELECT role, administrator FROM users WHERE id = $1',
      [scene.stack.ids[name]],
    );
    t.false(row?.administrator);
    const { browser } = await scene.signIn(name);
    const { me } = await withCookie(browser);
    t.deepEqual({ role: me.role, administrator: me.administrator }, { role: row?.role ?? '', administrator: false });
  });

  for (const name of ['Nobody Known', 'Unverified'])
    test(`IDN-1: an account is not enough to get in: ${name}`, async (t) => {
      const { browser, page } = await scene.signIn(name);
      t.is(page.status, 401);
      t.regex(page.text, name === 'Unverified' ? /not verified/ : /Nobody in the directory/);
      t.is(sessionOf(browser), 'no cookie');
      t.is((await withCookie(browser)).page.status, 401);
    });

  test('IDN-2: a session cookie is out of reach of scripts, bound to this site, and new at every sign-in', async (t) => {
    const planted = 'A'.repeat(43);
    const browser = new Browser();
    browser.cookies(scene.stack.apiUrl).set('switchboard_session', planted);
    await scene.signIn('Owen Tashiro', '/me', browser);
    const first = sessionOf(browser);
    t.not(first, planted, 'an id that somebody else chose is not taken over (fixation)');
    const again = await browser.request(`${scene.stack.apiUrl}/auth/login?return_to=/me`);
    const back = await browser.request(
      (await browser.visit(again.headers.get('location') ?? '', {}, (url) => url.includes('/auth/callback'))).url,
    );
    t.is(back.status, 303);
    const cookie = back.headers.getSetCookie().find((line) => line.startsWith('switchboard_session='));
    t.regex(cookie ?? '', /HttpOnly/);
    t.regex(cookie ?? '', /SameSite=Lax/);
    t.not(sessionOf(browser), first);
    const former = new Browser();
    former.cookies(scene.stack.apiUrl).set('switchboard_session', first);
    t.is((await withCookie(former)).page.status, 401, 'the former session has ended');
    t.is((await withCookie(browser)).page.status, 200);
  });

  test('IDN-1: an answer of the provider counts only in the browser that asked, and once', async (t) => {
    const isBack = (url: string): boolean => url.includes('/auth/callback');
    const browser = new Browser();
    const start = await browser.visit(`${scene.stack.apiUrl}/auth/login`, {}, isBack);
    const back = await scene.running.signIn(browser, start, scene.emailOf('Noor Halvorsen'), isBack);
    t.true(isBack(back.url));
    const stranger = await new Browser().request(back.url);
    t.is(stranger.status, 401, 'somebody else’s answer in my browser: no state of mine');
    const url = new URL(back.url);
    url.searchParams.set('state', 'another-state');
    t.is((await browser.request(url.href)).status, 401, 'the state is another');
    t.is((await browser.request(back.url)).status, 303);
    t.is((await browser.request(back.url)).status, 401, 'the answer was used');
  });

  for (const target of [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '/%09/evil.example',
    'javascript:alert(1)',
  ])
    test(`IDN-1: signing in leads to no other site: ${target}`, async (t) => {
      const { page } = await scene.signIn('Felix Amaro', target);
      t.is(new URL(page.url).origin, scene.stack.apiUrl);
      t.false(page.url.includes('alert'));
    });

  test('IDN-2: with a cookie, changes are taken from our own pages alone (CSRF)', async (t) => {
    const { browser } = await scene.signIn('Greta Mbeki');
    const refused = [
      {},
      { 'sec-fetch-site': 'same-origin' },
      { ...OWN_PAGE, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { ...OWN_PAGE, 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' },
      { 'x-switchboard-csrf': '1', origin: 'https://evil.example' },
      { 'x-switchboard-csrf': '1' },
    ];
    for (const headers of refused)
      t.is(
        (await send(browser, { 'content-type': 'application/json', ...headers })).status,
        403,
        JSON.stringify(headers),
      );
    t.is((await send(browser, OWN_PAGE)).status, 202);
    t.is((await withCookie(browser)).page.status, 200, 'reading needs no more than the cookie');
    const head = await browser.request(`${scene.stack.apiUrl}/auth/logout`, { method: 'GET' });
    t.not(head.status, 200, 'nobody is signed out by a link');
  });

  test('IDN-2: the Temporal Web UI reads histories with the session of an administrator', async (t) => {
    const { browser } = await scene.signIn('Helena Voss');
    const decode = (origin: string): Promise<Page> =>
      browser.request(`${scene.stack.apiUrl}/codec/decode`, {
        method: 'POST',
        body: JSON.stringify({ payloads: [] }),
        headers: { origin, 'content-type': 'application/json', 'sec-fetch-site': 'same-site' },
      });
    t.is((await decode('http://ui.example')).status, 200);
    t.is((await decode('http://evil.example')).status, 403);
  });

  test('IDN-2: an open stream ends with the session that it was opened with', async (t) => {
    const { browser } = await scene.signIn('Jonas Adeyemi');
    const cookie = `switchboard_session=${sessionOf(browser)}`;
    const stream = await fetch(`${scene.stack.apiUrl}/stream`, { headers: { cookie } });
    t.is(stream.status, 200);
    const ended = (async () => {
      await stream.text().catch(() => undefined);
      return 'ended';
    })();
    await browser.request(`${scene.stack.apiUrl}/auth/logout`, { method: 'POST', headers: OWN_PAGE });
    const late = new Promise((resolve) => setTimeout(resolve, WITHIN_MS, 'still open'));
    t.is(await Promise.race([ended, late]), 'ended');
  });

  test('IDN-2: signing out ends the session everywhere at once, and says where to sign out at the provider', async (t) => {
    const name = 'Samir Dunne';
    const other = await scene.stack.serveApi();
    t.teardown(() => other.close());
    const { browser } = await scene.signIn(name);
    const copy = new Browser();
    for (const url of [scene.stack.apiUrl, other.url]) copy.cookies(url).set('switchboard_session', sessionOf(browser));
    t.is((await withCookie(copy, other.url)).page.status, 200);
    const logout = `${scene.stack.apiUrl}/auth/logout`;
    t.is((await browser.request(logout, { method: 'POST' })).status, 403, 'not by another site');
    const out = await browser.request(logout, { method: 'POST', headers: OWN_PAGE });
    t.is(out.status, 200);
    t.true((JSON.parse(out.text) as { provider_sign_out: string }).provider_sign_out.startsWith(scene.provider.issuer));
    t.is(sessionOf(browser), 'no cookie');
    const gone = await eventually(
      () => withCookie(copy, other.url),
      ({ page }) => page.status === 401,
      WITHIN_MS,
    );
    t.is(gone.page.status, 401);
    t.true((await eventsOf(scene.stack.ids[name])).includes('identity.signed_out'));
  });

  test('IDN-2: a leaver is out within five seconds, by cookie and by token, in every process', async (t) => {
    const name = 'Lucia Petrov';
    const other = await scene.stack.serveApi();
    t.teardown(() => other.close());
    const { browser } = await scene.signIn(name);
    const token = await scene.desktopToken(name);
    t.is((await withToken(token, other.url)).status, 200);
    await setActive(scene.stack.ids[name], false);
    t.teardown(() => setActive(scene.stack.ids[name], true));
    await eventually(
      () => withToken(token, other.url),
      ({ status }) => status === 401,
      WITHIN_MS,
    );
    await eventually(
      () => withCookie(browser),
      ({ page }) => page.status === 401,
      WITHIN_MS,
    );
    const again = await scene.signIn(name);
    t.is(again.page.status, 401);
    t.is(sessionOf(again.browser), 'no cookie');
  });

  test('IDN-1: a desktop signs in by device flow, and is an agent that acts for the person', async (t) => {
    const name = 'Helena Voss';
    const { status, body } = await withToken(await scene.desktopToken(name));
    t.is(status, 200);
    t.is(body.kind, 'agent');
    t.is(body.acts_for, scene.stack.ids[name] ?? '');
    t.is(body.name, `${name}'s agent (desktop)`);
    t.false(body.administrator, 'though Helena Voss is an administrator');
    const again = await withToken(await scene.desktopToken(name));
    t.is(again.body.id, body.id, 'the same agent at the next sign-in');
  });

  test('IDN-1: a token of the browser client is the person', async (t) => {
    const { body } = await withToken(await scene.webToken('Helena Voss'));
    t.deepEqual([body.kind, body.id, body.administrator], ['user', scene.stack.ids['Helena Voss'] ?? '', true]);
  });

  test('IDN-1: a service signs in by client credentials, and is the agent that it is registered as', async (t) => {
    const { status, body } = await withToken(await scene.serviceToken('finance-agent'));
    t.is(status, 200);
    t.deepEqual([body.kind, body.id, body.role], ['agent', scene.stack.ids['finance-agent'] ?? '', 'finance']);
  });

  test('IDN-2, MCP-5: a token for the MCP server is none for the API, and the server’s own has no rights', async (t) => {
    const wrong = await withToken(await scene.desktopToken('Jonas Adeyemi', MCP_AUDIENCE));
    t.is(wrong.status, 401);
    t.regex(wrong.headers.get('www-authenticate') ?? '', /error="invalid_token".*another audience.*resource_metadata=/);
    t.is((await withToken(await scene.serviceToken(scene.provider.clients.mcp))).status, 401);
  });
}
