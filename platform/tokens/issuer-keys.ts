import { createLocalJWKSet, errors } from 'jose';
import type { JSONWebKeySet, JWK, JWTVerifyGetKey } from 'jose';

import { fetchJson } from './fetch-json.ts';

/** How keys of an issuer are kept. */
export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Path of its metadata, that of OpenID Connect Discovery unless given. */
  readonly metadata?: string;
  /** Keys this old are fetched again in the background, default ten minutes. */
  readonly freshMs?: number;
  /** Time between two looks for a key that is not known, default ten seconds. */
  readonly cooldownMs?: number;
  /** Hears why keys could not be fetched. */
  readonly onFailure?: (error: Error) => void;
}

/** The issuer's keys were never read, and it does not answer now: tokens can be neither accepted nor refused. */
export class IssuerAwayError extends Error {
  constructor(issuer: string) {
    super(`The identity provider ${issuer} does not answer.`);
    this.name = 'IssuerAwayError';
  }
}

interface Known {
  readonly find: JWTVerifyGetKey;
  readonly readAt: number;
}

const FRESH_MS = 600_000;
const COOLDOWN_MS = 10_000;
/** While an issuer is away its keys go on being used for so long. */
const USABLE_MS = 86_400_000;

/**
 * The public keys of an issuer, by discovery (OpenID Connect Discovery 1.0). Keys that are known stay in use while the
 * issuer is away; an unknown key is looked for at once, but not more often than the cooldown says.
 */
export class IssuerKeys {
  readonly issuer: string;
  private readonly metadata: string;
  private readonly freshMs: number;
  private readonly cooldownMs: number;
  private readonly onFailure: (error: Error) => void;
  private known: Known | undefined;
  private askedAt = 0;
  private asking: Promise<void> | undefined;

  constructor({ issuer, metadata, freshMs, cooldownMs, onFailure }: IssuerKeysOptions) {
    this.issuer = issuer;
    this.metadata = metadata ?? '/.well-known/openid-configuration';
    this.freshMs = freshMs ?? FRESH_MS;
    this.cooldownMs = cooldownMs ?? COOLDOWN_MS;
    this.onFailure = onFailure ?? (() => undefined);
  }

  /** For `jwtVerify`: the key that a header names. What the header itself carries (jwk, jku, x5u) is never looked at. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.usable();
    try {
      return await known.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.lookAgain())) throw error;
      return (await this.usable()).find(header, token);
    }
  };

  private async usable(): Promise<Known> {
    if (this.known && Date.now() - this.known.readAt > USABLE_MS) this.known = undefined;
    if (!this.known) await this.refresh();
    else if (Date.now() - this.known.readAt > this.freshMs && this.mayAsk()) void this.refresh();
    if (!this.known) throw new IssuerAwayError(this.issuer);
    return this.known;
  }

  private mayAsk(): boolean {
    return Date.now() - this.askedAt >= this.cooldownMs;
  }

  /** Looks whether the issuer has new keys; answers whether it looked. */
  private async lookAgain(): Promise<boolean> {
    if (!this.asking && !this.mayAsk()) return false;
    await this.refresh();
    return true;
  }

  /** One look at a time; a failure leaves what is known. */
  private refresh(): Promise<void> {
    this.asking ??= this.read()
      .catch((error: unknown) => this.onFailure(error instanceof Error ? error : new Error(String(error))))
      .finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async read(): Promise<void> {
    this.askedAt = Date.now();
    const metadata = await fetchJson(this.issuer.replace(/\/$/, '') + this.metadata);
    if (metadata['issuer'] !== this.issuer)
      throw new Error(`${this.issuer} says that it is another issuer: check SWITCHBOARD_OIDC_ISSUER to the letter.`);
    const address = metadata['jwks_uri'];
    if (typeof address !== 'string') throw new Error(`${this.issuer} names no jwks_uri.`);
    this.known = { find: createLocalJWKSet(publicSignatureKeys(await fetchJson(address))), readAt: Date.now() };
  }
}

/** Signature keys only: a shared secret that somebody published would make forgers of all. */
function publicSignatureKeys({ keys }: Record<string, unknown>): JSONWebKeySet {
  if (!Array.isArray(keys)) throw new Error('The issuer answered no JWK set.');
  const usable = (keys as JWK[]).filter(({ kty, use }) => (kty === 'RSA' || kty === 'EC') && use !== 'enc');
  return { keys: usable };
}
