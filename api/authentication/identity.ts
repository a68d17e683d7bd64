import { EventEmitter } from 'node:events';

import type { Logger } from 'pino';

import { follow } from '../../db/listen.ts';
import { IssuerKeys } from '../../platform/tokens/issuer-keys.ts';
import { TokenRefused } from '../../platform/tokens/refused.ts';
import type { SigningKeys } from '../../platform/tokens/signing-keys.ts';
import { claimedIssuer, verifyAccessToken } from '../../platform/tokens/verify.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import type { IdentitySettings } from './settings.ts';

const CHANNEL = 'switchboard_identity';

/** What all that concerns identity shares in an API process. */
export interface Identity {
  readonly settings: IdentitySettings;
  /** Keys of the token service. */
  readonly keys: SigningKeys;
  /** Verifies an access token for one of these audiences; throws TokenRefused or IssuerAwayError. */
  verify(token: string, audiences: readonly string[]): Promise<AccessToken>;
  /** Calls when somebody of an organisation (or of any: undefined) may not be who they were. Answers how to forget it. */
  onChange(listener: (organisationId: string | undefined) => void): () => void;
  close(): Promise<void>;
}

export interface IdentityOptions {
  readonly settings: IdentitySettings;
  readonly keys: SigningKeys;
  /** Where revocations are announced (LISTEN); what is missed meanwhile is seen within five seconds. */
  readonly url: string;
  readonly log: Logger;
  /** Time between two looks for an unknown key of the issuer. */
  readonly cooldownMs?: number;
  /** Age at which the issuer's keys are fetched again. */
  readonly freshMs?: number;
}

/** Opens identity: keys of the issuer, own keys, and the announcements of revocations. */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { settings, keys, url, log } = options;
  if (settings.staticKeys)
    log.warn('SWITCHBOARD_STATIC_KEYS is on: whoever holds a development key is let in. Never in production.');
  const issuer = settings.issuer === undefined ? undefined : issuerKeys(settings.issuer, options);
  const told = new EventEmitter().setMaxListeners(0);
  const following = await follow(url, CHANNEL, {
    onTold: (organisationId) => void told.emit('change', organisationId),
    // After an interruption anything may have changed.
    onOpen: () => void told.emit('change', undefined),
    onLost: (error) => log.warn({ error: error.message }, 'the connection for revocations was lost'),
  });
  return {
    settings,
    keys,
    verify: async (token, audiences) => {
      const claimed = claimedIssuer(token);
      const { maxTokenSeconds: maxSeconds, publicUrl } = settings;
      // Each issuer's keys verify its own tokens alone, whatever the token says of its key.
      if (claimed === publicUrl)
        return verifyAccessToken(token, { issuer: publicUrl, find: keys.find, audiences, maxSeconds });
      if (claimed !== issuer?.issuer)
        throw new TokenRefused('issuer', 'The token is of an issuer that is not trusted here.');
      return verifyAccessToken(token, { issuer: issuer.issuer, find: issuer.find, audiences, maxSeconds });
    },
    onChange: (listener) => {
      told.on('change', listener);
      return () => void told.off('change', listener);
    },
    close: () => following.close(),
  };
}

const issuerKeys = (issuer: string, { log, cooldownMs, freshMs }: IdentityOptions): IssuerKeys =>
  new IssuerKeys({
    issuer,
    ...(cooldownMs !== undefined && { cooldownMs }),
    ...(freshMs !== undefined && { freshMs }),
    onFailure: (error) => log.warn({ error: error.message, issuer }, 'the keys of the identity provider were not read'),
  });
