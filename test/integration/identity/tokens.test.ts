import test from 'ava';
import { base64url, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';

import { eventually, rest } from '../../support/rest.ts';
import { asOwner } from '../../support/scene.ts';
import { linkByEmail } from '../../../api/authentication/link.ts';
import { linkIdentity } from '../../../db/identities.ts';
import { openForge } from '../../support/identity/forge.ts';
import type { Forge } from '../../support/identity/forge.ts';
import { startStack } from '../../support/stack.ts';
import type { TestStack } from '../../support/stack.ts';

let stack: TestStack;
let forge: Forge;
const COOLDOWN_MS = 300;

test.before(async () => {
  forge = await openForge();
  stack = await startStack({
    worker: false,
    identity: { issuer: forge.issuer, cooldownMs: COOLDOWN_MS, freshMs: 100 },
  });
});
test.after.always(async () => {
  await stack.close();
  await forge.close();
});

const seconds = (): number => Math.floor(Date.now() / 1000);
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const me = (token: string, url = stack.apiUrl) =>
  rest<{ kind: string; id: string; detail: string; code: string }>(url, token, 'GET', '/me');
/** Claims with which Helena Voss is found. */
const helena = () => ({
  organisation: stack.organisationId,
  sub: 'helena',
  email: 'helena.voss@example.com',
  email_verified: true,
});
const refused = async (
  t: { is(a: unknown, b: unknown): boolean; regex(text: string, p: RegExp): boolean },
  token: string,
  because: RegExp,
) => {
  const { status, body, headers } = await me(token);
  t.is(status, 401);
  t.is(body.code, 'unauthenticated');
  t.regex(body.detail, because);
  t.regex(
    headers.get('www-authenticate') ?? '',
    /^Bearer error="invalid_token", error_description=".+", resource_metadata="/,
  );
};

test.serial('IDN-2: a good token is accepted: RS256 and ES256, at+jwt and JWT', async (t) => {
  t.is((await me(await forge.sign(helena()))).status, 200);
  const es = await forge.newKey('ES256');
  forge.keys.push(es);
  await later(COOLDOWN_MS);
  t.is((await me(await forge.sign(helena(), {}, es))).status, 200);
  // Keycloak: no at+jwt, and its own claim says what kind of token it is.
  t.is(
    (await me(await forge.sign({ ...helena(), typ: 'Bearer', azp: 'switchboard-web' }, { typ: 'JWT' }))).status,
    200,
  );
});

const SKEWS: readonly (readonly [string, () => object, RegExp | undefined])[] = [
  ['expired 50 s ago', () => ({ iat: seconds() - 350, exp: seconds() - 50 }), undefined],
  ['expired 75 s ago', () => ({ iat: seconds() - 375, exp: seconds() - 75 }), /expired/],
  ['valid in 50 s', () => ({ nbf: seconds() + 50 }), undefined],
  ['valid in 75 s', () => ({ nbf: seconds() + 75 }), /not valid yet/],
  ['issued in 50 s', () => ({ iat: seconds() + 50 }), undefined],
  ['issued in 75 s', () => ({ iat: seconds() + 75, exp: seconds() + 300 }), /in the future/],
  ['a life of 15 minutes', () => ({ exp: seconds() + 900 }), undefined],
  ['a life of 17 minutes', () => ({ exp: seconds() + 1020 }), /lives longer/],
  ['no end', () => ({ exp: undefined }), /exp/],
];
for (const [title, claims, because] of SKEWS)
  test.serial(`IDN-2: clocks and times: ${title}`, async (t) => {
    const token = await forge.sign({ ...helena(), ...claims() });
    if (because) await refused(t, token, because);
    else t.is((await me(token)).status, 200);
  });

const WRONG: readonly (readonly [string, object, object, RegExp])[] = [
  ['another audience', { aud: 'https://another.example' }, {}, /another audience/],
  ['no audience', { aud: undefined }, {}, /another audience/],
  ['another issuer', { iss: 'https://another.example' }, {}, /issuer that is not trusted/],
  ['no issuer', { iss: undefined }, {}, /no issuer/],
  ['no subject', { sub: undefined }, {}, /sub/],
  ['an id token (nonce)', { nonce: 'n' }, { typ: 'JWT' }, /no access token/],
  ['an id token (at_hash)', { at_hash: 'n' }, { typ: 'JWT' }, /no access token/],
  [
    'an id token (for its client)',
    { aud: ['urn:switchboard:api'], client_id: 'urn:switchboard:api' },
    { typ: 'JWT' },
    /no access token/,
  ],
  ['an id token (Keycloak)', { typ: 'ID' }, { typ: 'JWT' }, /no access token/],
  ['a refresh token (Keycloak)', { typ: 'Refresh' }, { typ: 'JWT' }, /no access token/],
  ['a sign-out token', { events: {} }, { typ: 'logout+jwt' }, /no access token/],
  ['an unverified address', { sub: 'new-1', email_verified: false }, {}, /not verified/],
  ['an address that says it is verified in words', { sub: 'new-2', email_verified: 'true' }, {}, /not verified/],
  ['nobody known', { sub: 'new-3', email: 'nobody@example.com' }, {}, /Nobody in the directory/],
  ['another account with the same address', { sub: 'another-helena' }, {}, /linked to this person already/],
  ['no organisation, where there are two', { organisation: undefined }, {}, /no organisation/],
  ['an organisation that there is not', { organisation: 'org_1' }, {}, /no organisation/],
  ['a client that is not registered', { sub: 'job', client_id: 'job' }, {}, /not registered/],
  ['no scope of ours', { scope: 'openid' }, {}, /lacks the scope/],
];
for (const [title, claims, header, because] of WRONG)
  test.serial(`IDN-2: refused: ${title}`, async (t) => {
    await me(await forge.sign(helena()));
    const token = await forge.sign({ ...helena(), ...claims }, header);
    if (title !== 'no scope of ours') {
      await refused(t, token, because);
      return;
    }
    const { status, headers } = await me(token);
    t.is(status, 403);
    t.regex(headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="switchboard:read"/);
  });

test.serial('IDN-2: refused: no signature at all (alg none), in any spelling', async (t) => {
  const good = await forge.sign(helena());
  const payload = good.split('.')[1] ?? '';
  for (const alg of ['none', 'None', 'NONE', '']) {
    const header = base64url.encode(JSON.stringify({ alg, typ: 'at+jwt', kid: forge.keys[0]?.kid }));
    await refused(t, `${header}.${payload}.`, /not signed with|not a valid|no JSON Web Token/);
  }
});

test.serial('IDN-2: refused: HS256 with the public key for a secret (algorithm confusion)', async (t) => {
  const [key] = forge.keys;
  const publicKey = (await importJWK({ ...key?.publicJwk }, 'RS256')) as CryptoKey;
  const secrets = [await exportSPKI(publicKey), JSON.stringify(key?.publicJwk), key?.publicJwk.n ?? ''];
  for (const secret of secrets)
    for (const alg of ['HS256', 'HS512']) {
      const token = await new SignJWT({ ...helena(), scope: 'switchboard:write', client_id: 'switchboard-web' })
        .setProtectedHeader({ alg, kid: key?.kid ?? '', typ: 'at+jwt' })
        .setIssuer(forge.issuer)
        .setAudience('urn:switchboard:api')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode(secret));
      await refused(t, token, /not signed with RS256 or ES256/);
    }
});

test.serial('IDN-2: refused: algorithms that nobody agreed on, though the key is the issuer’s', async (t) => {
  const key = forge.keys[0];
  if (!key) throw new Error('The forge has no key.');
  for (const alg of ['PS256', 'RS512', 'ES384', 'EdDSA']) {
    const other = await forge.newKey(alg);
    await refused(t, await forge.sign(helena(), {}, { ...other, kid: key.kid }), /not signed with/);
  }
  const wrong = await forge.newKey('ES256');
  await refused(t, await forge.sign(helena(), { kid: key.kid }, wrong), /key that its issuer does not have|signature/);
});

test.serial(
  'IDN-2: refused: a key that the token brings along (jwk, jku, x5u), or of another issuer (kid)',
  async (t) => {
    const stranger = await openForge();
    t.teardown(() => stranger.close());
    const own = stranger.keys[0];
    const kid = forge.keys[0]?.kid ?? '';
    if (!own) throw new Error('The forge has no key.');
    const asked = stranger.asked;
    for (const header of [
      { jwk: own.publicJwk },
      { jku: `${stranger.issuer}/keys`, kid: own.kid },
      { x5u: `${stranger.issuer}/keys`, kid: own.kid },
      { kid },
    ])
      await refused(t, await forge.sign(helena(), header, own), /key that its issuer does not have|signature/);
    t.is(stranger.asked, asked, 'nobody asks an address that a token names');
    await refused(t, await stranger.sign(helena()), /issuer that is not trusted/);
  },
);

test.serial(
  'IDN-2: refused: a token in the name of our own token service, signed with the issuer’s keys',
  async (t) => {
    await refused(
      t,
      await forge.sign({ ...helena(), iss: stack.apiUrl }),
      /key that its issuer does not have|signature/,
    );
  },
);

test.serial('IDN-2: refused: what is changed after it was signed', async (t) => {
  const [header = '', , signature = ''] = (await forge.sign(helena())).split('.');
  const claims = { ...helena(), iss: forge.issuer, aud: 'urn:switchboard:api', exp: seconds() + 300, iat: seconds() };
  await refused(t, `${header}.${base64url.encode(JSON.stringify(claims))}.${signature}`, /signature/);
});

test.serial('IDN-2: new keys are found at once; a flood of unknown ones does not reach the issuer', async (t) => {
  await me(await forge.sign(helena()));
  await later(COOLDOWN_MS);
  const fresh = await forge.newKey();
  forge.keys = [fresh];
  t.is((await me(await forge.sign(helena(), {}, fresh))).status, 200);
  await later(COOLDOWN_MS);
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const publicJwk = await exportJWK(privateKey);
  const before = forge.asked;
  for (let at = 0; at < 30; at += 1)
    await me(await forge.sign(helena(), {}, { kid: `unknown-${String(at)}`, alg: 'RS256', privateKey, publicJwk }));
  t.true(forge.asked - before <= 3, `asked ${String(forge.asked - before)} times`);
});

test.serial('IDN-2: known keys go on counting while the issuer is away; without any the answer is 503', async (t) => {
  t.is((await me(await forge.sign(helena()))).status, 200);
  forge.away = true;
  t.teardown(() => (forge.away = false));
  await later(COOLDOWN_MS + 100);
  for (let at = 0; at < 3; at += 1) t.is((await me(await forge.sign(helena()))).status, 200);
  const cold = await stack.serveApi();
  t.teardown(() => cold.close());
  t.is((await me(await forge.sign(helena()), cold.url)).status, 503);
  forge.away = false;
  await later(COOLDOWN_MS + 50);
  t.is((await me(await forge.sign(helena()), cold.url)).status, 200);
});

test.serial('IDN-2: keys are read over https or on this machine only', async (t) => {
  const own = forge.jwksUri;
  const cold = await stack.serveApi();
  t.teardown(async () => {
    forge.jwksUri = own;
    await cold.close();
  });
  forge.jwksUri = 'http://169.254.169.254/latest/meta-data/';
  t.is((await me(await forge.sign(helena()), cold.url)).status, 503);
});

test.serial('IDN-2: a revoked token is refused within five seconds in another process', async (t) => {
  const other = await stack.serveApi();
  t.teardown(() => other.close());
  const [token, kept] = [await forge.sign(helena()), await forge.sign(helena())];
  for (const one of [token, kept]) t.is((await me(one, other.url)).status, 200);
  const body = new URLSearchParams({ token });
  t.is((await fetch(`${stack.apiUrl}/oauth/revoke`, { method: 'POST', body })).status, 200);
  await eventually(
    () => me(token, other.url),
    ({ status }) => status === 401,
    5_000,
  );
  t.is((await me(kept, other.url)).status, 200);
  const rows = await asOwner(stack, "SELECT 1 FROM audit_events WHERE action = 'token.revoked'");
  t.is(rows.length, 1);
});

test.serial('IDN-2: revocation is known within five seconds even where announcements are lost', async (t) => {
  const other = await stack.serveApi();
  t.teardown(() => other.close());
  const token = await forge.sign(helena());
  t.is((await me(token, other.url)).status, 200);
  await asOwner(stack, 'ALTER TABLE revocations DISABLE TRIGGER ALL');
  t.teardown(() => asOwner(stack, 'ALTER TABLE revocations ENABLE TRIGGER ALL'));
  await fetch(`${stack.apiUrl}/oauth/revoke`, { method: 'POST', body: new URLSearchParams({ token }) });
  await eventually(
    () => me(token, other.url),
    ({ status }) => status === 401,
    5_000,
  );
});

test.serial('X-1: without a token the challenge says where to get one, and nothing of an error', async (t) => {
  const { status, headers } = await rest(stack.apiUrl, undefined, 'GET', '/me');
  t.is(status, 401);
  t.is(
    headers.get('www-authenticate'),
    `Bearer resource_metadata="${stack.apiUrl}/.well-known/oauth-protected-resource"`,
  );
});

test.serial('IDN-1: an account whose first sign-in happens twice at once is let in both times', async (t) => {
  const identity = { issuer: forge.issuer, subject: 'noor' };
  const id = stack.ids['Noor Halvorsen'] ?? '';
  const [linked, release] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const first = stack.database.transaction(stack.organisationId, async (sql) => {
    await linkIdentity(sql, identity, id);
    linked.resolve(undefined);
    await release.promise;
  });
  await linked.promise;
  const claims = { email: 'noor.halvorsen@example.com', email_verified: true };
  const second = linkByEmail(stack.database, stack.organisationId, { ...identity, claims });
  setTimeout(() => release.resolve(undefined), 500);
  await first;
  t.is((await second).id, id);
  const other = { ...identity, subject: 'somebody-else', claims };
  await t.throwsAsync(linkByEmail(stack.database, stack.organisationId, other), { message: /linked to this person/ });
});
