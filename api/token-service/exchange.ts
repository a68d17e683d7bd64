import type { Principal } from '../../contracts/principal.ts';
import { findAgent } from '../../db/directory.ts';
import { SCOPES, tokenHolder } from '../authentication/access-tokens.ts';
import type { Identity } from '../authentication/identity.ts';
import { revocationIdsOf, sinceOf } from '../authentication/own-tokens.ts';
import type { Grant } from '../authentication/own-tokens.ts';
import { activeUser, isForItself, onBehalfOf } from '../authentication/people.ts';
import type { Directory } from '../authentication/people.ts';
import type { AccessToken } from '../../platform/tokens/verify.ts';
import type { ExchangeForm } from './form.ts';
import { OAuthError } from './oauth-error.ts';

/** Exchanged tokens live so long at most. */
const MOST_SECONDS = 300;
/** Actors that may stand between a person and the API. */
const MOST_ACTORS = 3;

/** What an exchange works with. */
export interface ExchangeDeps {
  readonly directory: Directory;
  readonly identity: Identity;
}

interface Parties {
  readonly subject: AccessToken;
  readonly actor: AccessToken;
  readonly holder: Principal;
}

/** What is issued: rights that both have, for the audience that was asked for. */
export interface Exchanged {
  readonly grant: Grant;
  readonly audience: string;
}

/**
 * Token exchange (RFC 8693). An agent that presents a person's token and its own acts for the person, with the rights
 * that both have. The MCP server presents a token for itself, and gets one for the API with the same rights.
 */
export async function exchange(deps: ExchangeDeps, form: ExchangeForm): Promise<Exchanged> {
  const { audience, mcpAudience, exchangeClients } = deps.identity.settings;
  const actor = await deps.identity.verify(form.actor_token, [audience]);
  const between = exchangeClients.includes(actor.clientId) && actor.issuer === deps.identity.settings.issuer;
  if (between && !isForItself(actor))
    throw new OAuthError('invalid_request', 'actor_token must be a token of the client itself (client credentials).');
  const subject = await deps.identity.verify(form.subject_token, [between ? mcpAudience : audience]);
  requireMayAct(subject, actor);
  const holder = await tokenHolder(deps.directory, subject);
  if (holder.kind === 'service')
    throw new OAuthError('invalid_request', 'subject_token is of a service, which hands its right on to nobody.');
  const parties = { subject, actor, holder };
  const grant = between ? passedOn(parties, form.scope) : await delegated(deps, parties, form.scope);
  return { grant, audience: audienceOf(deps, form, between) };
}

/** An agent's own token and a person's: the agent acts for the person. */
async function delegated(
  { directory }: ExchangeDeps,
  { subject, actor, holder }: Parties,
  scope: string | undefined,
): Promise<Grant> {
  const agent = await tokenHolder(directory, actor);
  if (agent.kind !== 'agent' || agent.acts_for !== null)
    throw new OAuthError('invalid_request', 'actor_token must be of an agent that acts for nobody else.');
  if (agent.organisation_id !== holder.organisation_id)
    throw new OAuthError('invalid_request', 'Agent and person are of different organisations.');
  const userId = holder.kind === 'user' ? holder.id : holder.acts_for;
  if (userId === null) throw new OAuthError('invalid_request', 'subject_token must be of a person, or of their agent.');
  const user = await activeUser(directory, holder.organisation_id, userId);
  const row = await directory.database.inOrganisation(holder.organisation_id, (sql) => findAgent(sql, agent.id));
  if (!row) throw new OAuthError('invalid_request', 'The agent of actor_token is not there any more.');
  const both = await onBehalfOf(directory, { organisation_id: holder.organisation_id, user, agent: row });
  return {
    // What an earlier link of the chain may not see, no later one does.
    principal: { ...both, clearance: both.clearance.filter((kind) => holder.clearance.includes(kind)) },
    subject: userId,
    clientId: actor.clientId,
    act: chained({ sub: agent.id, client_id: actor.clientId }, subject, holder),
    via: [...(holder.kind === 'agent' ? [holder.id] : []), ...(holder.via ?? [])].slice(0, MOST_ACTORS),
    ...bounds([subject, actor], scope),
    endsWith: [...revocationIdsOf(subject), ...revocationIdsOf(actor)],
  };
}

/** A token for the MCP server, presented by it: whoever it is of keeps their rights, and the server stands between. */
function passedOn({ subject, actor, holder }: Parties, scope: string | undefined): Grant {
  return {
    principal: holder,
    subject: holder.acts_for ?? holder.id,
    clientId: subject.clientId,
    act: chained({ sub: actor.clientId }, subject, holder),
    via: [actor.clientId, ...(holder.via ?? [])],
    ...bounds([subject], scope),
    endsWith: revocationIdsOf(subject),
  };
}

type Act = Readonly<Record<string, unknown>>;

/** The actors of the subject below the new one (RFC 8693, section 4.1); refuses a chain that nobody can follow. */
function chained(actor: Act, subject: AccessToken, holder: Principal): Act {
  const before = subject.claims['act'] ?? (holder.kind === 'agent' ? { sub: holder.id } : undefined);
  const act = before === undefined ? actor : { ...actor, act: before };
  let depth = 0;
  for (let one: unknown = act; isObject(one); one = one['act']) depth += 1;
  if (depth > MOST_ACTORS)
    throw new OAuthError('invalid_request', `More than ${String(MOST_ACTORS)} actors would stand behind this token.`);
  return act;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A person's token may name who may act for them (RFC 8693, section 4.4). */
function requireMayAct({ claims }: AccessToken, actor: AccessToken): void {
  const allowed = claims['may_act'];
  if (allowed === undefined) return;
  const named = isObject(allowed) ? [allowed['sub'], allowed['client_id']] : [];
  if (!named.some((one) => one === actor.subject || one === actor.clientId))
    throw new OAuthError('invalid_request', 'subject_token names somebody else who may act for its subject.');
}

/** Never longer, never with more scopes than any of the tokens that it is made of. */
function bounds(
  tokens: readonly [AccessToken, ...AccessToken[]],
  scope: string | undefined,
): Pick<Grant, 'seconds' | 'scopes' | 'since'> {
  const left = Math.min(...tokens.map(({ expiresAt }) => expiresAt)) - Math.floor(Date.now() / 1000);
  const seconds = Math.min(MOST_SECONDS, left);
  if (seconds < 1) throw new OAuthError('invalid_request', 'A token has expired.');
  const most = Object.values(SCOPES).filter((one) => tokens.every((token) => covered(token).includes(one)));
  const asked = scope?.split(' ').filter((one) => one !== '') ?? most;
  const beyond = asked.filter((one) => !most.some((allowed) => allowed === one));
  if (beyond.length > 0) throw new OAuthError('invalid_scope', `Not covered by the tokens: ${beyond.join(' ')}.`);
  return { seconds, scopes: asked, since: Math.min(...tokens.map(sinceOf)) };
}

const covered = ({ scopes }: AccessToken): readonly string[] =>
  scopes.includes(SCOPES.write) ? [...scopes, SCOPES.read] : scopes;

function audienceOf({ identity }: ExchangeDeps, form: ExchangeForm, between: boolean): string {
  const { audience, mcpAudience } = identity.settings;
  const asked = form.audience ?? form.resource ?? audience;
  if (asked === audience || (asked === mcpAudience && !between)) return asked;
  throw new OAuthError('invalid_target', `Tokens are issued for ${audience} only.`);
}
