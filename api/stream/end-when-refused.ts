import type { Request, Response } from 'express';

import type { Principal } from '../../contracts/principal.ts';
import { InvalidToken } from '../authentication/invalid-token.ts';
import type { Mounting } from '../http.ts';

/** Expiry is told by nobody: it is looked for so often. */
const LOOK_AGAIN_MS = 15_000;
/** Many changes at once, such as those of an import, are one reason to look. */
const TOGETHER_MS = 1_000;

/** Ends an open stream once its reader would not be let in any more: signed out, revoked, expired, or gone. */
export function endWhenRefused(
  { deps, authenticate }: Pick<Mounting, 'deps' | 'authenticate'>,
  { organisation_id }: Principal,
  req: Request,
  res: Response,
): void {
  const check = (): void => {
    authenticate(req.get('authorization')).catch((error: unknown) => {
      if (error instanceof InvalidToken) res.end();
    });
  };
  let soon: NodeJS.Timeout | undefined;
  const forget = deps.identity.onChange((changed) => {
    if (changed === undefined || changed === organisation_id)
      soon ??= setTimeout(() => {
        soon = undefined;
        check();
      }, Math.random() * TOGETHER_MS).unref();
  });
  const timer = setInterval(check, LOOK_AGAIN_MS).unref();
  res.once('close', () => {
    forget();
    clearInterval(timer);
    clearTimeout(soon);
  });
}
