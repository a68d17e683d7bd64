import { hkdfSync } from 'node:crypto';

import { parseCookie } from 'cookie';
import type { CookieOptions, Request, Response } from 'express';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { z } from 'zod';

import type { Identity } from '../authentication/identity.ts';

const LOGIN_MINUTES = 10;

/** What a sign-in under way has to remember in the browser that began it. */
const Login = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), return_to: z.string() });
export type Login = z.infer<typeof Login>;

const isHttps = ({ settings }: Identity): boolean => settings.publicUrl.startsWith('https:');

/** `__Host-` binds a cookie to this host and to https (RFC 6265bis); development goes without. */
const named = (identity: Identity, name: string): string => (isHttps(identity) ? `__Host-${name}` : name);

const options = (identity: Identity): CookieOptions => ({
  httpOnly: true,
  sameSite: 'lax',
  secure: isHttps(identity),
  path: '/',
});

const valueOf = (req: Request, name: string): string | undefined => parseCookie(req.get('cookie') ?? '')[name];

/** The id of the browser session that a request carries. */
export const sessionIdIn = (req: Request, identity: Identity): string | undefined => {
  const id = valueOf(req, named(identity, 'switchboard_session'));
  return id !== undefined && /^[\w-]{43}$/.test(id) ? id : undefined;
};

export function setSession(res: Response, identity: Identity, id: string): void {
  const maxAge = identity.settings.sessionHours * 3_600_000;
  res.cookie(named(identity, 'switchboard_session'), id, { ...options(identity), maxAge });
}

export function clearSession(res: Response, identity: Identity): void {
  res.clearCookie(named(identity, 'switchboard_session'), options(identity));
}

const sealingKey = ({ keys }: Identity): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', keys.cookieSecret(), '', 'switchboard:login-cookie:v1', 32));

const loginName = (identity: Identity, state: string): string =>
  named(identity, `switchboard_login_${state.replaceAll(/[^\w-]/g, '').slice(0, 16)}`);

/** Remembers a sign-in in the browser that began it, sealed; each has a cookie of its own, so that two tabs can. */
export async function rememberLogin(res: Response, identity: Identity, login: Login): Promise<void> {
  const sealed = await new EncryptJWT({ login })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setExpirationTime(`${String(LOGIN_MINUTES)}m`)
    .encrypt(sealingKey(identity));
  const maxAge = LOGIN_MINUTES * 60_000;
  res.cookie(loginName(identity, login.state), sealed, { ...options(identity), maxAge });
}

/** The sign-in that this browser began with a state, once; undefined where it began none, or too long ago. */
export async function takeLogin(req: Request, res: Response, identity: Identity, state: string) {
  const name = loginName(identity, state);
  const sealed = valueOf(req, name);
  if (sealed === undefined) return undefined;
  res.clearCookie(name, options(identity));
  try {
    const { payload } = await jwtDecrypt(sealed, sealingKey(identity), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    const login = Login.parse(payload['login']);
    return login.state === state ? login : undefined;
  } catch {
    return undefined;
  }
}
