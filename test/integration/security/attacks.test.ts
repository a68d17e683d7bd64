import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import pino from 'pino';

import { demoPeople } from '../../../directory/demo-organisation.ts';
import { postOutside } from '../../../platform/outbound-request.ts';
import type { Resolve } from '../../../platform/outbound-request.ts';
import { callerOf } from '../../support/caller.ts';
import type { Body, Caller } from '../../support/caller.ts';
import { Browser } from '../../../cli/demo/browser.ts';
import { developmentProvider } from '../../support/identity/provider.ts';
import { openSignInScene } from '../../support/identity/scene.ts';
import type { SignInScene } from '../../support/identity/scene.ts';
import { rest } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';

// What an attacker tries, against the whole product with real sign-ins. docs/security.md lists the same numbers.

let scene: SignInScene;
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });

test.before(async (t) => {
  t.timeout(240_000);
  scene = await openSignInScene(await developmentProvider(), { worker: true, log });
});
test.after.always(() => scene.close());

const api = (): string => scene.stack.apiUrl;
const by = (name: string): Caller => callerOf(scene.stack, name);
const foreign = (name: string): Caller => callerOf(scene.stack, name, 'other');
const PROFILES = fileURLToPath(new URL('../../../profiles', import.meta.url));
const OWN_PAGE = { 'sec-fetch-site': 'same-origin', 'x-switchboard-csrf': '1' };

interface Claims {
  readonly [claim: string]: unknown;
}
const partsOf = (token: string): { header: Claims; claims: Claims } => {
  const [header = '', claims = ''] = token.split('.');
  const parse = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims;
  return { header: parse(header), claims: parse(claims) };
};
const encoded = (value: object): string => base64url.encode(JSON.stringify(value));
const me = (token: string) => rest<Body>(api(), token, 'GET', '/me');

/** One request as bytes, for what no HTTP client would send. */
async function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(api());
  const socket = net.connect(Number(port), hostname).setTimeout(10_000, () => socket.destroy());
  socket.end(text);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  await once(socket, 'close');
  return answer;
}

/** A server of the attacker's, which notes who came. */
async function trap(t: ExecutionContext): Promise<{ readonly url: string; readonly visits: string[] }> {
  const visits: string[] = [];
  const server = http.createServer((req, res) => {
    visits.push(req.url ?? '');
    res.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, visits };
}

test('Attack 1, IDN-2: a forged token: the claims of a good one, signed with a key of my own', async (t) => {
  const { header, claims } = partsOf(await scene.webToken('Helena Voss'));
  const { privateKey } = await generateKeyPair('RS256');
  const forged = await new SignJWT({ ...claims }).setProtectedHeader({ ...header, alg: 'RS256' }).sign(privateKey);
  t.is((await me(forged)).status, 401);
});

test('Attack 2, IDN-2: no signature: alg none, in several spellings', async (t) => {
  const { header, claims } = partsOf(await scene.webToken('Helena Voss'));
  for (const alg of ['none', 'None', 'NONE', 'nOnE', ''])
    for (const signature of ['', 'x'])
      t.is((await me(`${encoded({ ...header, alg })}.${encoded(claims)}.${signature}`)).status, 401, alg);
});

test('Attack 3, IDN-2: algorithm confusion: HS256 with the public key as the secret', async (t) => {
  const { header, claims } = partsOf(await scene.webToken('Helena Voss'));
  const document = (await (await fetch(`${scene.provider.issuer}/jwks`)).json()) as { keys: Claims[] };
  const [jwk = {}] = document.keys;
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  for (const secret of [JSON.stringify(jwk), await exportSPKI(publicKey)]) {
    const forged = await new SignJWT({ ...claims })
      .setProtectedHeader({ ...header, alg: 'HS256' })
      .sign(Buffer.from(secret));
    t.is((await me(forged)).status, 401);
  }
});

test('Attack 4, IDN-2: keys that the token brings along: jwk, jku, x5u and a path as kid; nobody fetches them', async (t) => {
  const { url, visits } = await trap(t);
  const { claims } = partsOf(await scene.webToken('Helena Voss'));
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  for (const extra of [
    { jwk },
    { jku: `${url}/jwks` },
    { x5u: `${url}/cert` },
    { kid: '../../../../dev/null' },
    { kid: `${url}/key` },
    { kid: "' OR 1=1 --" },
  ]) {
    const header = { alg: 'RS256', typ: 'at+jwt', ...extra };
    t.is((await me(await new SignJWT({ ...claims }).setProtectedHeader(header).sign(privateKey))).status, 401);
  }
  t.is(
    (await me(await new SignJWT({ ...claims, iss: url }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey))).status,
    401,
  );
  t.deepEqual(visits, [], 'nobody came to the attacker’s server');
});

test('Attack 5, APPR-6, X-2: replay: an approval that was used, a key of somebody else, an answer that is old', async (t) => {
  const [from, approver] = [by('hr-agent'), by('Tobias Renn')];
  const action = { tool: 'pay', arguments: { amount: 1 } };
  const approval = (await from.post('/approvals', { subject: 's', approvers: { users: [approver.id] }, action })).body;
  t.is((await approver.post(`/approvals/${approval.id}/respond`, { decision: 'approve' })).status, 200);
  t.is((await from.post(`/approvals/${approval.id}/redeem`, { action })).status, 200);
  t.is((await from.post(`/approvals/${approval.id}/redeem`, { action })).body.code, 'already_redeemed');
  const key = { 'Idempotency-Key': randomBytes(8).toString('hex') };
  const task = { target: 'legal', type: 'x', title: 'mine' };
  const first = await from.post('/tasks/route', task, key);
  const other = await by('finance-agent').post('/tasks/route', task, key);
  t.not(other.body.task_id, first.body.task_id, 'the answer to somebody else is not handed out');
});

test('Attack 6, IDN-1, POL-1: a role of one’s own choice: in the token, in bodies, in headers, in the query', async (t) => {
  const who = by('Noor Halvorsen');
  const before = (await who.get('/me')).body;
  t.false(before['administrator']);
  // The provider puts role: manager and administrator: true into everybody's tokens.
  const token = await scene.webToken('Noor Halvorsen');
  t.like((await me(token)).body, { role: before['role'], administrator: false });
  const headers = { 'X-Role': 'manager', 'X-Administrator': 'true', 'X-User-Id': by('Helena Voss').id };
  t.deepEqual((await who.get('/me?role=manager&administrator=true', headers)).status, 400);
  t.like((await who.get('/me', headers)).body, { role: before['role'], administrator: false, id: who.id });
  const task = { target: 'legal', type: 'x', sender_role: 'manager', administrator: true };
  t.is((await who.post('/tasks/route', task)).status, 400, 'unknown fields are refused');
});

test('Attack 7, POL-1: another person of the same organisation: their tasks, approvals and notifications', async (t) => {
  const [from, to, stranger] = [by('finance-agent'), by('Tobias Renn'), by('Samir Dunne')];
  const task = (await from.post('/tasks/route', { target: to.id, type: 'x', title: 'private' })).body.task_id;
  const approval = (await from.post('/approvals', { subject: 's', approvers: { users: [to.id] } })).body.id;
  t.is((await stranger.get(`/tasks/${task}`)).status, 404);
  t.is((await stranger.post(`/tasks/${task}/claim`)).status, 403);
  t.is((await stranger.get(`/approvals/${approval}`)).status, 404);
  t.true([403, 404].includes((await stranger.post(`/approvals/${approval}/respond`, { decision: 'approve' })).status));
  t.is((await to.get(`/approvals/${approval}`)).body.status, 'pending');
});

test('Attack 8, POL-3: another organisation: ids, and a session of ours with their id in it', async (t) => {
  const task = (await by('finance-agent').post('/tasks/route', { target: 'hr', type: 'x' })).body.task_id;
  for (const path of [`/tasks/${task}`, `/status/${task}`, `/audit/receipts/${task}`])
    t.is((await foreign('Helena Voss').get(path)).status, 404, path);
  const headers = { 'X-Organisation-Id': scene.stack.organisationId };
  t.is((await foreign('Helena Voss').get(`/tasks/${task}`, headers)).status, 404);
});

test('Attack 9, IDN-2: CSRF: another site sends the browser’s cookie along', async (t) => {
  const { browser } = await scene.signIn('Greta Mbeki');
  const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  const task = { target: 'legal', type: 'x' };
  for (const [body, type] of [
    [JSON.stringify(task), 'application/json'],
    [JSON.stringify(task), 'text/plain'],
    ['target=legal&type=x', 'application/x-www-form-urlencoded'],
  ] as const)
    for (const headers of [evil, { ...evil, 'x-switchboard-csrf': '1' }, {}]) {
      const init = { method: 'POST', body, headers: { 'content-type': type, ...headers } };
      t.true([400, 403, 415].includes((await browser.request(`${api()}/tasks/route`, init)).status));
    }
  const answer = await fetch(`${api()}/me`, { headers: { origin: 'https://evil.example' } });
  t.is(answer.headers.get('access-control-allow-origin'), null, 'and no other site reads an answer');
});

test('Attack 10, IDN-2: session fixation: an id that I planted before the victim signs in', async (t) => {
  const planted = 'A'.repeat(43);
  const victim = new Browser();
  victim.cookies(api()).set('switchboard_session', planted);
  await scene.signIn('Owen Tashiro', '/me', victim);
  t.not(victim.cookies(api()).get('switchboard_session'), planted);
  const attacker = new Browser();
  attacker.cookies(api()).set('switchboard_session', planted);
  t.is((await attacker.request(`${api()}/me`)).status, 401);
});

test('Attack 11, X-1: header injection: line breaks in what comes back in headers', async (t) => {
  const { host } = new URL(api());
  for (const [name, value] of [
    ['X-Trace-Id', 'a\r\nSet-Cookie: owned=1'],
    ['X-Trace-Id', 'a\nSet-Cookie: owned=1'],
    ['Idempotency-Key', 'a\r\nX-Owned: 1'],
  ] as const) {
    const answer = await raw(`GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${name}: ${value}\r\n\r\n`);
    t.notRegex(answer, /^(set-cookie: owned|x-owned)/im);
  }
  for (const target of ['/me%0d%0aSet-Cookie:%20owned=1', '/%0d%0aLocation:%20https://evil.example']) {
    const { headers } = await new Browser().request(`${api()}/auth/login?return_to=${target}`);
    t.false(headers.getSetCookie().some((line) => line.startsWith('owned')));
    t.notRegex(headers.get('location') ?? '', /^https:\/\/evil/);
  }
});

test('Attack 12, X-1: path traversal: out of the folders of profiles, recipes, documents', async (t) => {
  const who = by('Helena Voss');
  for (const path of [
    '/profiles/..%2f..%2fpackage.json',
    '/profiles/finance/local-hints?path=..%2f..%2f..%2fetc%2fpasswd',
    '/docs/..%2f..%2f..%2fpackage.json',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/docs/....//....//package.json',
    '/recipes/finance/..%2f..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/passwd',
  ]) {
    const { status, body } = await who.get(path);
    // Below /docs everything that is no file of the viewer is the viewer's page.
    t.true([400, 401, 403, 404].includes(status) || path.startsWith('/docs/'), `${path} ${String(status)}`);
    t.notRegex(JSON.stringify(body), /dependencies|root:x:/);
  }
  const { host } = new URL(api());
  const answer = await raw(`GET /docs/../../package.json HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  t.notRegex(answer, /"dependencies"/);
});

test('Attack 13, TASK-3: SSRF by webhook: into the operator’s network, in every spelling of an address', async (t) => {
  const { url, visits } = await trap(t);
  const { port } = new URL(url);
  const post = (host: string, resolve?: Resolve): Promise<number> =>
    postOutside({
      url: `http://${host}:${port}/owned`,
      body: '{}',
      headers: {},
      allowPrivate: false,
      timeoutMs: 5_000,
      ...(resolve && { resolve }),
    });
  const spellings = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f000001', '0177.0.0.1'];
  for (const host of [...spellings, '127.1', '169.254.169.254', '0.0.0.0'])
    await t.throwsAsync(post(host), { message: /private network/ }, host);
  let times = 0;
  const rebinding: Resolve = () => {
    times += 1;
    return Promise.resolve([{ address: times === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 }]);
  };
  await t.throwsAsync(post('rebinding.example', rebinding), { message: /private network/ });
  for (const odd of ['file:///etc/passwd', 'gopher://127.0.0.1:70/x', 'ftp://a/b'])
    t.is((await by('Helena Voss').post('/channels', { url: odd })).status, 400, odd);
  t.deepEqual(visits, []);
});

test('Attack 14, X-1: mass assignment: fields that only the server sets', async (t) => {
  const from = by('finance-agent');
  const { task_id } = (await from.post('/tasks/route', { target: 'hr', type: 'x' })).body;
  for (const [path, body] of [
    ['/tasks/route', { target: 'hr', type: 'x', status: 'completed', organisation_id: 'org_x' }],
    ['/tasks/route', { target: 'hr', type: 'x', task_id: 'task_01890000-0000-7000-8000-000000000000' }],
    [`/tasks/${task_id}/cancel`, { reason: 'r', actor: by('Helena Voss').id }],
    ['/approvals', { subject: 's', approver_role: 'manager', status: 'approved', votes: [] }],
    ['/sessions', { title: 't', status: 'completed', creator: by('Helena Voss').id }],
    ['/notifications', { target: 'hr', message: 'm', from: 'switchboard' }],
  ] as const)
    t.is((await from.post(path, body)).status, 400, JSON.stringify(body));
});

test('Attack 15, X-1: prototype pollution: __proto__ and constructor in bodies', async (t) => {
  const headers = { authorization: `Bearer ${by('finance-agent').key}`, 'content-type': 'application/json' };
  for (const body of [
    '{"target":"hr","type":"x","__proto__":{"administrator":true}}',
    '{"target":"hr","type":"x","payload":{"__proto__":{"administrator":true},"constructor":{"prototype":{"administrator":true}}}}',
  ])
    await fetch(`${api()}/tasks/route`, { method: 'POST', headers, body });
  t.is(({} as Record<string, unknown>)['administrator'], undefined);
  t.false((await by('Noor Halvorsen').get('/me')).body['administrator']);
});

test('Attack 16, X-1: too large, too deep, too many, and small on the wire alone', async (t) => {
  const who = by('finance-agent');
  const headers = { authorization: `Bearer ${who.key}`, 'content-type': 'application/json' };
  const send = async (body: string | Buffer, more: Record<string, string> = {}): Promise<number> =>
    (
      await fetch(`${api()}/tasks/route`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: new Uint8Array(Buffer.from(body)),
      })
    ).status;
  t.is(await send(JSON.stringify({ target: 'hr', type: 'x', payload: { a: 'x'.repeat(2_000_000) } })), 413);
  t.is(await send(`{"target":"hr","type":"x","payload":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`), 400);
  t.is(await send(`[${'[],'.repeat(200_000)}[]]`), 400);
  t.is(await send(gzipSync(Buffer.alloc(200_000_000, 32)), { 'content-encoding': 'gzip' }), 413, 'a bomb');
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${String(n)}`, 1]));
  t.true([400, 413].includes(await send(JSON.stringify({ target: 'hr', type: 'x', payload: many }))));
  t.is((await who.get('/me')).status, 200, 'and the API goes on');
});

test('Attack 17, IDN-2: the time of a comparison does not tell whether a key exists', async (t) => {
  const real = by('finance-agent').key;
  const known = `${real.slice(0, 17)}${'A'.repeat(43)}`;
  const unknown = `sbk_${'z'.repeat(12)}_${'A'.repeat(43)}`;
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  for (let n = 0; n < 120; n += 1)
    for (const [which, key] of [
      ['known', known],
      ['unknown', unknown],
    ] as const) {
      const started = performance.now();
      t.is((await me(key)).status, 401);
      times[which].push(performance.now() - started);
    }
  const median = (all: number[]): number => all.toSorted((a, b) => a - b)[60] ?? 0;
  const ratio = median(times.known) / median(times.unknown);
  // Both are looked up and compared; a comparison that stops early or is left out would stand far outside.
  t.true(ratio > 0.5 && ratio < 2, `ratio ${ratio.toFixed(2)}`);
});

test('Attack 18, IDN-1: open redirect: signing in leads to no other site', async (t) => {
  for (const target of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '/%09/evil.example',
  ]) {
    const { page } = await scene.signIn('Felix Amaro', target);
    t.is(new URL(page.url).origin, api(), target);
  }
});

test('Attack 19, X-1: log injection: line breaks and escapes in what is logged', async (t) => {
  const { host } = new URL(api());
  const fake = '%0a{"level":"fatal","msg":"owned"}';
  await raw(
    `GET /nothing${fake}\u001b[31m HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: \u001b[2J owned\r\nConnection: close\r\n\r\n`,
  );
  await by('finance-agent').get(`/tasks/${fake}`, { 'X-Trace-Id': 'owned' });
  await by('finance-agent').post('/tasks/route', { target: 'hr\n{"level":"fatal"}', type: 'x' });
  for (const line of logged) {
    t.notThrows(() => JSON.parse(line) as unknown, line.slice(0, 200));
    t.is(line.trimEnd().split('\n').length, 1);
    // eslint-disable-next-line no-control-regex -- this is what must not be there
    t.notRegex(line, /\u001b/);
  }
});

test('Attack 20, X-1: errors tell no secret: no stack, no SQL, no key, no token', async (t) => {
  const key = by('finance-agent').key;
  const token = await scene.webToken('Helena Voss');
  const answers = [
    await rest<Body>(api(), `${token}x`, 'GET', '/me'),
    await rest<Body>(api(), `${key}x`, 'GET', '/me'),
    await by('finance-agent').get('/tasks?cursor=%27%3B+DROP+TABLE+tasks'),
    await by('finance-agent').get("/tasks/task_' OR 1=1"),
    await by('finance-agent').post('/approvals', { subject: 's', approvers: { policy: 'no such' } }),
  ];
  for (const { status, body } of answers) {
    const text = JSON.stringify(body);
    t.true(status >= 400 && status < 500, text);
    t.notRegex(text, /node_modules|\.ts:\d|SELECT |syntax error|sbk_[A-Za-z0-9]|eyJ[A-Za-z0-9]/);
  }
  const secrets = [key, token, createHash('sha256').update(key).digest('base64')];
  for (const secret of secrets)
    t.false(
      logged.some((line) => line.includes(secret)),
      'and the log tells none',
    );
});

test('Attack 21, X-3: SQL in filters, sorts and cursors is data', async (t) => {
  const before = await asOwner<{ count: number }>(scene.stack, 'SELECT count(*)::int AS count FROM users');
  for (const query of [
    "status=pending'%3B+DELETE+FROM+users%3B--",
    "target=hr'+OR+'1'%3D'1",
    'sort=created%3B+DROP+TABLE+users',
    'limit=1%3B+DROP+TABLE+users',
    'cursor=27',
  ]) {
    const { status } = await by('finance-agent').get(`/tasks?${query}`);
    t.true([200, 400, 422].includes(status), query);
  }
  t.deepEqual(await asOwner(scene.stack, 'SELECT count(*)::int AS count FROM users'), before);
});

test('Attack 22, X-1: a method in disguise and a host of the attacker’s change nothing', async (t) => {
  const task = (await by('finance-agent').post('/tasks/route', { target: 'hr', type: 'x' })).body.task_id;
  const sly = { 'X-HTTP-Method-Override': 'DELETE', 'X-Method-Override': 'POST' };
  t.is((await by('finance-agent').get(`/tasks/${task}`, sly)).body.status, 'pending');
  const answer = await raw(
    `GET /auth/login HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n`,
  );
  t.notRegex(decodeURIComponent(/^location: (.*)$/im.exec(answer)?.[1] ?? ''), /evil\.example/);
});

test('Attack 23, IDN-2: framing, sniffing and caching of what is answered', async (t) => {
  for (const path of ['/docs/', '/auth/login', '/me', '/codec/sign-in']) {
    const { headers } = await new Browser().request(`${api()}${path}`);
    t.is(headers.get('x-content-type-options'), 'nosniff', path);
    const framing = `${headers.get('content-security-policy') ?? ''} ${headers.get('x-frame-options') ?? ''}`;
    t.regex(framing, /frame-ancestors 'none'|frame-ancestors 'self'|DENY|SAMEORIGIN/i, path);
    t.is(headers.get('x-powered-by'), null);
  }
  t.is(
    (await fetch(`${api()}/me`, { headers: { authorization: `Bearer ${by('finance-agent').key}` } })).headers.get(
      'cache-control',
    ),
    'no-store',
  );
});

test('Attack 24, APPR-3: deciding one’s own request: oneself, by one’s agent, by an exchange of tokens', async (t) => {
  const person = by('Helena Voss');
  const approval = (
    await person.post('/approvals', { subject: 's', approvers: { users: [person.id, by('Tobias Renn').id] } })
  ).body.id;
  const respond = (token: string) =>
    rest<Body>(api(), token, 'POST', `/approvals/${approval}/respond`, { body: { decision: 'approve' } });
  t.is((await respond(person.key)).status, 403);
  t.is((await respond(await scene.webToken('Helena Voss'))).status, 403);
  t.is((await respond(await scene.desktopToken('Helena Voss'))).status, 403);
  t.is(
    (await respond(await scene.desktopToken('Tobias Renn'))).status,
    403,
    'an agent of the approver is not the approver',
  );
  t.is((await person.get(`/approvals/${approval}`)).body.status, 'pending');
  t.is((await respond(await scene.webToken('Tobias Renn'))).status, 200);
});

test('Attack 25, IDN-2: the cookie of one browser in another place: as a bearer, in the query, twice', async (t) => {
  const { browser } = await scene.signIn('Lucia Petrov');
  const cookie = browser.cookies(api()).get('switchboard_session') ?? '';
  t.is((await me(cookie)).status, 401);
  t.is((await fetch(`${api()}/me?access_token=${await scene.webToken('Lucia Petrov')}`)).status, 401);
  t.is((await fetch(`${api()}/me?switchboard_session=${cookie}`)).status, 401);
  const post = await browser.request(`${api()}/auth/logout`, { method: 'POST', headers: OWN_PAGE });
  t.is(post.status, 200);
  browser.cookies(api()).set('switchboard_session', cookie);
  t.is((await browser.request(`${api()}/me`)).status, 401, 'what was signed out stays out');
});

test('Attack 26, DIR-1: formulas in names come out of an export as text', async (t) => {
  const administrator = by('Helena Voss');
  const send = async (csv: string): Promise<number> => {
    const headers = { authorization: `Bearer ${administrator.key}`, 'content-type': 'text/csv' };
    return (await fetch(`${api()}/admin/org/import?confirm_deactivations=true`, { method: 'POST', headers, body: csv }))
      .status;
  };
  const read = async (): Promise<string> =>
    (await fetch(`${api()}/admin/org/export`, { headers: { authorization: `Bearer ${administrator.key}` } })).text();
  const before = await read();
  const formulas = ['=HYPERLINK(""https://evil.example"")', '+1+1', '-2+3', '@SUM(A1)'];
  const rows = formulas.map(
    (name, n) => `${String(900 + n)},1,"${name}",legal,evil${String(n)}@example.com,"=cmd|' /C calc'!A0"`,
  );
  const header = 'user_id,reports_to_id,name,role,email,department';
  t.true(before.trim().split('\n').length > 12);
  const plain = demoPeople(PROFILES, 'people.csv');
  const own = plain.map(
    (one) => `${one.user_id},${one.reports_to_id ?? ''},${one.name},${one.role},${one.email},${one.department}`,
  );
  t.is(await send([header, ...own, ...rows].join('\n')), 201);
  const cells = (await read()).split('\n').flatMap((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
  t.deepEqual(
    cells.filter((cell) => /^"?[=+@\t\r-]/.test(cell)),
    [],
  );
  t.is(await send([header, ...own].join('\n')), 201);
});

test('Attack 27, DIR-2: rights by way of the directory: SCIM, imports and profiles as somebody ordinary', async (t) => {
  for (const who of [by('Noor Halvorsen'), by('finance-agent')]) {
    const headers = { authorization: `Bearer ${who.key}`, 'content-type': 'application/scim+json' };
    const patch = JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'add', path: 'members', value: [{ value: who.id }] }],
    });
    const scim = await fetch(`${api()}/scim/v2/Groups/manager`, { method: 'PATCH', headers, body: patch });
    t.is(scim.status, 403);
    t.is((await fetch(`${api()}/scim/v2/Users`, { headers })).status, 403);
    const csv = { authorization: `Bearer ${who.key}`, 'content-type': 'text/csv' };
    t.is((await fetch(`${api()}/admin/org/import`, { method: 'POST', headers: csv, body: 'user_id' })).status, 403);
    t.is(
      (await who.put(`/admin/users/${by('Noor Halvorsen').id}`, { role: 'manager', administrator: true })).status,
      403,
    );
    t.is((await who.put('/admin/profiles/legal', { profile: {} })).status, 403);
    t.is((await who.put('/policy/organisation', { policies: '' })).status, 403);
    t.is((await who.get('/admin/users')).status, 403);
  }
});
