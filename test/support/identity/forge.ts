import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTHeaderParameters } from 'jose';

/** A key pair with its id. */
export interface ForgeKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** An issuer that signs whatever a test wants, over the discovery protocol that real ones speak. */
export interface Forge {
  readonly issuer: string;
  /** Answers of its endpoints, for tests that take them away or change them. */
  away: boolean;
  keys: ForgeKey[];
  /** Address that its metadata names for its keys; its own unless changed. */
  jwksUri: string;
  /** Requests to its keys. */
  asked: number;
  newKey(alg?: string): Promise<ForgeKey>;
  /** Signs claims over good ones: `undefined` takes one away. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Partial<JWTHeaderParameters>,
    key?: ForgeKey,
  ): Promise<string>;
  close(): Promise<void>;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Starts an issuer with one key. */
export async function openForge(): Promise<Forge> {
  const server = createServer((req, res) => {
    if (forge.away) {
      res.writeHead(503).end();
      return;
    }
    if (req.url?.endsWith('/keys') === true) forge.asked += 1;
    const document = req.url?.endsWith('/keys')
      ? { keys: forge.keys.map(({ publicJwk }) => publicJwk) }
      : { issuer: forge.issuer, jwks_uri: forge.jwksUri };
    res.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  let made = 0;
  const forge: Forge = {
    issuer,
    away: false,
    keys: [],
    jwksUri: `${issuer}/keys`,
    asked: 0,
    async newKey(alg = 'RS256') {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const kid = `key-${String((made += 1))}`;
      return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
    },
    async sign(claims = {}, header = {}, key) {
      const signer = key ?? forge.keys[0] ?? (await forge.newKey());
      const payload: Record<string, unknown> = {
        iss: issuer,
        aud: 'urn:switchboard:api',
        sub: 'somebody',
        client_id: 'switchboard-web',
        scope: 'switchboard:write',
        jti: crypto.randomUUID(),
        iat: seconds(),
        exp: seconds() + 300,
        ...claims,
      };
      const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
      return new SignJWT(kept)
        .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: 'at+jwt', ...header })
        .sign(signer.privateKey);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  forge.keys = [await forge.newKey()];
  return forge;
}
