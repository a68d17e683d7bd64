import type { RequestHandler, Router } from 'express';

import { decodePayloads, encodePayloads } from '../../contracts/codec.ts';
import { claimIn, fetchClaimed } from '../../temporal/claims.ts';
import { createCodec, encryptFor, sealingOf } from '../../temporal/codec.ts';
import { fromWire, toWire } from '../../temporal/remote-codec.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { ApiError } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { signedInByCookie } from './sign-in.ts';

type Payload = ReturnType<typeof fromWire>;

/** Lets the Temporal Web UI, which is served from another origin, call the codec endpoint; nobody else. */
export function allowCodecOrigins(router: Router, origins: readonly string[]): void {
  const allow: RequestHandler = (req, res, next) => {
    const origin = req.get('origin');
    res.vary('Origin');
    if (origin !== undefined && origins.includes(origin)) {
      res.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Allow-Credentials': 'true',
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'authorization, authorization-extras, content-type, x-namespace',
        'Access-Control-Max-Age': '600',
      });
    }
    if (req.method === 'OPTIONS' && req.get('access-control-request-method') !== undefined) res.status(204).end();
    else next();
  };
  router.all(['/codec/decode', '/codec/encode'], allow, signedInByCookie(origins));
}

/** The remote codec of Temporal's Web UI and CLI: administrators read the histories of their organisation. */
export function mountCodec(mounting: Mounting): void {
  const { deps } = mounting;
  const codec = createCodec(deps.historyKeys);
  mount(mounting, decodePayloads, async ({ payloads }, call) => {
    await requirePermission(deps, call, 'history:read', { kind: 'organisation' }, call.principal.organisation_id);
    const sent = payloads.map(fromWire);
    await refuseForeign(deps, call, sent);
    const fetched = await Promise.all(sent.map((payload) => unclaimed(deps, payload)));
    const readable = await readably(() => codec.decode(fetched));
    await record(deps, call, 'history.decoded', sent.filter((payload) => isOurs(payload)).length);
    return { payloads: readable.map(toWire) };
  });
  mount(mounting, encodePayloads, async ({ payloads }, call) => {
    const { organisation_id } = call.principal;
    await requirePermission(deps, call, 'history:write', { kind: 'organisation' }, organisation_id);
    const encrypted = await readably(() =>
      Promise.all(payloads.map((payload) => encryptFor(deps.historyKeys, organisation_id, fromWire(payload)))),
    );
    await record(deps, call, 'history.encoded', payloads.length);
    return { payloads: encrypted.map(toWire) };
  });
}

const isOurs = (payload: Payload): boolean => claimIn(payload) !== undefined || sealingOf(payload) !== undefined;

const unclaimed = async ({ claims }: ApiDeps, payload: Payload): Promise<Payload> => {
  const claim = claimIn(payload);
  return claim ? readably(() => fetchClaimed(claims, claim)) : payload;
};

/** Whose a payload is; a payload that says nothing of it can be read by anybody. */
function ownerOf(payload: Payload): string | undefined {
  try {
    return claimIn(payload)?.organisation ?? sealingOf(payload)?.organisationId;
  } catch {
    throw damaged('A payload does not say whose it is: its metadata was changed.');
  }
}

async function refuseForeign({ database }: ApiDeps, call: Call, payloads: readonly Payload[]): Promise<void> {
  const { organisation_id } = call.principal;
  const foreign = payloads.map(ownerOf).filter((owner) => owner !== undefined && owner !== organisation_id).length;
  if (foreign === 0) return;
  await database.inOrganisation(organisation_id, (sql) =>
    recordEvent(sql, call, {
      action: 'history.refused',
      kind: 'organisation',
      id: organisation_id,
      outcome: 'denied',
      details: { payloads: payloads.length, foreign },
    }),
  );
  throw new ApiError({ code: 'forbidden', detail: 'A payload belongs to another organisation, or to the system.' });
}

const damaged = (detail: string): ApiError => new ApiError({ code: 'invalid_input', detail });

/** What cannot be read says why: it was changed, its key is not known, or was erased. */
async function readably<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused =
      error instanceof Error && /cannot be opened|There is no key|is not in payload_claims/.test(error.message);
    throw refused ? damaged(error.message) : error;
  }
}

/** Who read how much, never what. */
const record = async ({ database }: ApiDeps, call: Call, action: string, payloads: number): Promise<void> => {
  if (payloads === 0) return;
  await database.inOrganisation(call.principal.organisation_id, (sql) =>
    recordEvent(sql, call, {
      action,
      kind: 'organisation',
      id: call.principal.organisation_id,
      details: { payloads },
    }),
  );
};
