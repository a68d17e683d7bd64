import { organisationIds } from '../../db/deliveries.ts';
import type { Database } from '../../db/pool.ts';
import type { Config } from '../../platform/config.ts';
import { openOperatorDatabase } from '../operator-database.ts';

export const USAGE = `identity rotate-keys                                   make a new key for tokens of the token service
identity end --organisation ID --principal ID          end all sessions and tokens of a person and their agents, or of an agent
identity unlink --organisation ID --principal ID       forget which account is a person's; the next sign-in links anew
identity client --organisation ID --agent NAME --client ID [--subject SUB]
                                                       let an agent sign in for itself (client credentials)
identity client --organisation ID --service --client ID [--subject SUB]
                                                       let a client keep people up to date over SCIM, and nothing else
identity provisioning-token --organisation ID [--days 365]
                                                       a token for SCIM, shown once
identity provisioning-token --organisation ID --list | --revoke ID`;

/** A command with what was given to it. */
export interface Command {
  readonly config: Config;
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** The text of an option; undefined where it was not given. */
export const given = ({ values }: Command, name: string): string | undefined => {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
};

/** The text of an option that has to be given. */
export function needed(command: Command, name: string): string {
  const value = given(command, name);
  if (value === undefined) throw new Error(`--${name} is missing.\n${USAGE}`);
  return value;
}

/** Does something to the organisation that was named. Answers the exit code. */
export async function inOrganisation(
  command: Command,
  work: (database: Database, organisation: string) => Promise<void>,
): Promise<number> {
  const organisation = needed(command, 'organisation');
  const database = openOperatorDatabase(command.config);
  try {
    if (!(await database.unscoped(organisationIds)).includes(organisation))
      throw new Error(`There is no organisation ${organisation}: see "organisation list".`);
    await work(database, organisation);
    return 0;
  } finally {
    await database.close();
  }
}
