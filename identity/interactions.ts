import { createHash, timingSafeEqual } from 'node:crypto';

import express from 'express';
import type { Request, Response, Router } from 'express';
import type Provider from 'oidc-provider';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import type { Account } from './accounts.ts';
import { PERSON } from './configuration.ts';
import { consentPage, page, signInPage } from './pages.ts';

const SECONDS = 300;
const MOST_OF_AN_ACCOUNT = 10;
const MOST_OF_AN_ADDRESS = 50;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The account with these words; takes as long for one that does not exist. */
export function accountOf(accounts: readonly Account[], email: string, password: string): Account | undefined {
  const account = accounts.find((one) => one.email.toLowerCase() === email.trim().toLowerCase());
  const matches = timingSafeEqual(digest(password), digest(account?.password ?? ''));
  return account && matches && account.password !== '' ? account : undefined;
}

/** The pages between a client's request and its answer: signing in, and allowing a client that registered itself. */
export function interactions(provider: Provider, accounts: readonly Account[]): Router {
  const router = express.Router();
  const form = express.urlencoded({ extended: false, limit: '8kb' });
  const failures = {
    account: new RateLimiterMemory({ points: MOST_OF_AN_ACCOUNT, duration: SECONDS }),
    address: new RateLimiterMemory({ points: MOST_OF_AN_ADDRESS, duration: SECONDS }),
  };

  router.get('/interaction/:uid', async (req: Request, res: Response) => {
    const { prompt, params, uid } = await provider.interactionDetails(req, res);
    const action = `/interaction/${uid}/${prompt.name}`;
    const clientId = String(params['client_id']);
    if (prompt.name !== 'consent') {
      const hint = params['login_hint'];
      res.type('html').send(signInPage(action, typeof hint === 'string' ? hint : ''));
      return;
    }
    const client = await provider.Client.find(clientId);
    const where = client?.redirectUris?.[0] ?? 'no address';
    res.type('html').send(consentPage(action, client?.clientName ?? clientId, where, clientId === PERSON));
  });

  router.post('/interaction/:uid/login', form, async (req: Request, res: Response) => {
    const { uid } = await provider.interactionDetails(req, res);
    const { email = '', password = '' } = (req.body ?? {}) as Record<string, unknown>;
    if (typeof email !== 'string' || typeof password !== 'string') throw new TypeError('The form is not the page’s.');
    const keys = { account: email.trim().toLowerCase(), address: req.ip ?? '' };
    if (await usedUp(failures, keys)) {
      res.status(429).set('Retry-After', String(SECONDS)).type('html');
      res.send(signInPage(`/interaction/${uid}/login`, email, 'Too many attempts. Wait some minutes, then try again.'));
      return;
    }
    const account = accountOf(accounts, email, password);
    if (!account) {
      await Promise.all([count(failures.account, keys.account), count(failures.address, keys.address)]);
      res.status(401).type('html');
      res.send(signInPage(`/interaction/${uid}/login`, email, 'E-mail or password is wrong.'));
      return;
    }
    await failures.account.delete(keys.account);
    await provider.interactionFinished(req, res, { login: { accountId: account.subject } });
  });

  router.post('/interaction/:uid/consent', form, allowing(provider));

  router.use('/interaction', (error: unknown, _req: Request, res: Response, next: express.NextFunction) => {
    if (res.headersSent) next(error);
    else res.status(400).type('html').send(page('Begin again', '<p>This sign-in has ended. Begin again.</p>'));
  });
  return router;
}

/** What the person answered about a client that registered itself. */
const allowing =
  (provider: Provider) =>
  async (req: Request, res: Response): Promise<void> => {
    const details = await provider.interactionDetails(req, res);
    if ((req.body as { readonly answer?: unknown }).answer !== 'yes') {
      const refused = { error: 'access_denied', error_description: 'The person refused.' };
      await provider.interactionFinished(req, res, refused);
      return;
    }
    const { params, session } = details;
    const { client_id: clientId, scope, resource } = params;
    const scopes = typeof scope === 'string' ? scope : '';
    const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(clientId) });
    grant.addOIDCScope(scopes);
    for (const one of [resource].flat()) if (typeof one === 'string') grant.addResourceScope(one, scopes);
    await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
  };

type Limiters = Readonly<Record<'account' | 'address', RateLimiterMemory>>;

async function usedUp({ account, address }: Limiters, keys: Readonly<Record<'account' | 'address', string>>) {
  const [ofAccount, ofAddress] = await Promise.all([account.get(keys.account), address.get(keys.address)]);
  return (
    (ofAccount?.consumedPoints ?? 0) >= MOST_OF_AN_ACCOUNT || (ofAddress?.consumedPoints ?? 0) >= MOST_OF_AN_ADDRESS
  );
}

async function count(limiter: RateLimiterMemory, key: string): Promise<void> {
  await limiter.consume(key).catch((refusal: unknown) => {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
  });
}
