import { addProvisioningToken, listProvisioningTokens, revokeProvisioningToken } from '../../db/provisioning-tokens.ts';
import type { ListedToken } from '../../db/provisioning-tokens.ts';
import type { Database } from '../../db/pool.ts';
import { newProvisioningToken } from '../../platform/api-key.ts';
import { operatorAccount, recordOperator } from '../operator-record.ts';
import { say } from '../say.ts';
import { given, inOrganisation } from './command.ts';
import type { Command } from './command.ts';

const LONGEST_DAYS = 730;

/** Makes, lists or revokes the tokens with which an identity provider keeps people up to date (SCIM). */
export function provisioningToken(command: Command): Promise<number> {
  const revoked = given(command, 'revoke');
  if (command.values['list'] === true) return inOrganisation(command, list);
  if (revoked !== undefined)
    return inOrganisation(command, (database, organisation) => revoke(database, organisation, revoked));
  const days = daysOf(given(command, 'days') ?? '365');
  return inOrganisation(command, (database, organisation) => make(database, organisation, days));
}

function daysOf(text: string): number {
  const days = Number(text);
  if (/^\d{1,4}$/.test(text) && days >= 1 && days <= LONGEST_DAYS) return days;
  throw new Error(`--days must be a number of days from 1 to ${String(LONGEST_DAYS)}.`);
}

async function make(database: Database, organisation: string, days: number): Promise<void> {
  const { key, keyId: id, hash } = newProvisioningToken();
  await database.transaction(organisation, async (sql) => {
    await addProvisioningToken(sql, { id, hash, createdBy: operatorAccount(), days });
    const event = { action: 'identity.provisioning_token_added', kind: 'identity', id: `service_${id}` } as const;
    await recordOperator(sql, { ...event, details: { token: id, days } });
  });
  say(key);
  say(`It is good for SCIM alone, for ${String(days)} days, and not shown again. Its id is ${id}.`);
}

const stateOf = ({ expires_at, revoked_at }: ListedToken): string => {
  if (revoked_at) return `revoked ${revoked_at.toISOString()}`;
  return `${expires_at.getTime() > Date.now() ? 'expires' : 'expired'} ${expires_at.toISOString()}`;
};

async function list(database: Database, organisation: string): Promise<void> {
  const tokens = await database.inOrganisation(organisation, listProvisioningTokens);
  for (const token of tokens)
    say(`${token.id}  made ${token.created_at.toISOString()} by ${token.created_by}, ${stateOf(token)}`);
  if (tokens.length === 0) say('There are none.');
}

const revoke = (database: Database, organisation: string, id: string): Promise<void> =>
  database.transaction(organisation, async (sql) => {
    if (!(await revokeProvisioningToken(sql, id)))
      throw new Error(`${organisation} has no provisioning token ${id} that could be revoked: see --list.`);
    const event = { action: 'identity.provisioning_token_revoked', kind: 'identity', id: `service_${id}` } as const;
    await recordOperator(sql, { ...event, details: { token: id } });
    say(`${id} is refused everywhere within five seconds.`);
  });
