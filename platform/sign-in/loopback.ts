import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import * as client from 'openid-client';

import { issuerOf } from './client.ts';
import type { SignInTarget } from './client.ts';
import { discoverProvider } from './provider.ts';

const WITHIN_MS = 5 * 60_000;
const PATH = '/callback';

/**
 * Signs a person in with the browser of this machine (authorization code with PKCE, redirect to a loopback address:
 * RFC 8252). Answers the access token; nothing is kept, and there is no refresh token: what lies on a disk is also
 * there for the agents of this machine. `prompt` gets the address to open.
 */
export async function signInByLoopback(
  clientId: string,
  target: SignInTarget,
  prompt: (address: string) => void,
  withinMs = WITHIN_MS,
): Promise<string> {
  const provider = await discoverProvider({ issuer: await issuerOf(target), clientId });
  const [verifier, state] = [client.randomPKCECodeVerifier(), client.randomState()];
  const listener = await listenFor(state);
  try {
    const address = client.buildAuthorizationUrl(provider, {
      redirect_uri: listener.redirectUri,
      scope: target.scope,
      resource: target.audience,
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    prompt(address.href);
    const back = await within(listener.back, withinMs);
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    const granted = await client.authorizationCodeGrant(provider, back, checks, { resource: target.audience });
    return granted.access_token;
  } catch (error) {
    throw error instanceof client.AuthorizationResponseError
      ? new Error(`The identity provider refused: ${error.error_description ?? error.error}`, { cause: error })
      : error;
  } finally {
    listener.close();
  }
}

interface Listener {
  readonly redirectUri: string;
  /** The address that the browser came back to. */
  readonly back: Promise<URL>;
  readonly close: () => void;
}

/** Listens on this machine alone, on a free port, for the one answer that belongs to this sign-in. */
async function listenFor(state: string): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const redirectUri = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${PATH}`;
  return { redirectUri, back: answerTo(server, redirectUri, state), close: () => void server.close() };
}

const answerTo = (server: Server, redirectUri: string, state: string): Promise<URL> =>
  new Promise((resolve) => {
    server.on('request', (req, res) => {
      const url = new URL(req.url ?? '/', redirectUri);
      // Any page can send a browser here; what it cannot know is the state.
      const isOurs = req.method === 'GET' && url.pathname === PATH && url.searchParams.get('state') === state;
      show(res, isOurs ? 200 : 404, isOurs ? 'Done. Go back to the terminal; this page can be closed.' : 'Not here.');
      if (isOurs) resolve(url);
    });
  });

const show = (res: ServerResponse, status: number, text: string): void => {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' };
  res.writeHead(status, headers).end(text);
};

async function within(back: Promise<URL>, milliseconds: number): Promise<URL> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Nobody signed in within the time: begin again.')), milliseconds);
  });
  return Promise.race([back, tooLate]).finally(() => clearTimeout(timer));
}
