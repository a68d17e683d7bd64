import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ROLES } from '../../contracts/principal.ts';
import type { Role } from '../../contracts/principal.ts';
import { demoPeople } from '../../directory/demo-organisation.ts';
import { BundleKeys, verifyProfileBundle } from '../../platform/profile-bundle.ts';
import type { Browser } from './browser.ts';
import type { Checks } from './checks.ts';
import type { Passwords } from './passwords.ts';
import { signInByBrowser } from './sign-in.ts';

/** How many people can be brought in: those who are there already, to all of the file. */
export const PEOPLE = { least: 12, most: 50 } as const;

const PROFILES = path.resolve(import.meta.dirname, '../../profiles');
/** What a page of ours says of a request that changes something. */
const OWN_PAGE = { 'sec-fetch-site': 'same-origin', 'x-switchboard-csrf': '1' };

/** What an onboarding is done with. */
export interface OnboardingOptions {
  readonly apiUrl: string;
  readonly organisationId: string;
  readonly passwords: Passwords;
  readonly administrator: string;
  readonly people: number;
  readonly checks: Checks;
  readonly say: (line: string) => void;
}

interface Me {
  readonly role: Role;
  readonly kind: string;
  readonly administrator: boolean;
}
interface Imported {
  readonly diff: readonly { readonly change: string }[];
  readonly users_created: number;
  readonly users_deactivated: number;
  readonly users_unchanged: number;
}

/** An administrator imports people from a file; each of them signs in and gets the profile of the role that is theirs. */
export async function onboard(options: OnboardingOptions): Promise<void> {
  const { apiUrl, administrator, people: count, checks, say } = options;
  const people = demoPeople(PROFILES, 'fifty.csv').slice(0, count);
  const admin = await signInByBrowser({ apiUrl }, credentialsOf(options, administrator));
  await importPeople(options, admin, count);
  const keys = BundleKeys.parse(JSON.parse((await admin.request(`${apiUrl}/profiles/keys`)).text));
  const faults: string[] = [];
  for (const { name, role } of people) {
    const browser = await signInByBrowser({ apiUrl }, credentialsOf(options, name));
    faults.push(...(await faultsOf(options, { browser, name, role, keys })));
    say(`    ${name} (${role}) signed in`);
  }
  const noted = { scenario: 'onboarding', requirement: 'DIR-2', ok: faults.length === 0 };
  const title = `${String(count)} people signed in; each got the assigned profile, and nothing else`;
  checks.add({ ...noted, title, seen: faults.join('; ') || 'yes' });
}

function credentialsOf({ passwords }: OnboardingOptions, name: string): Passwords['people'][number] {
  const found = passwords.people.find((one) => one.name === name);
  if (!found) throw new Error(`${name} has no account at the provider.`);
  return found;
}

/** A dry run first, whose difference the import then makes. */
async function importPeople({ apiUrl, checks, say }: OnboardingOptions, admin: Browser, count: number): Promise<void> {
  const [header = '', ...rows] = readFileSync(path.join(PROFILES, 'demo/fifty.csv'), 'utf8').trim().split('\n');
  const file = new Blob([[header, ...rows.slice(0, count)].join('\n')], { type: 'text/csv' });
  const send = async (query: string): Promise<Imported> => {
    const body = new FormData();
    body.append('file', file, 'people.csv');
    const page = await admin.request(`${apiUrl}/admin/org/import?${query}`, {
      method: 'POST',
      body,
      headers: OWN_PAGE,
    });
    if (page.status > 299) throw new Error(`The import was answered ${String(page.status)}: ${page.text}`);
    return JSON.parse(page.text) as Imported;
  };
  const dry = await send('dry_run=true&confirm_deactivations=true');
  const real = await send('confirm_deactivations=true');
  say(`  imported: ${String(real.users_created)} new, ${String(real.users_unchanged)} unchanged`);
  const [expected, seen] = [dry, real].map((one) => [one.users_created, one.users_deactivated, one.users_unchanged]);
  const ok = JSON.stringify(expected) === JSON.stringify(seen);
  checks.add({
    scenario: 'onboarding',
    requirement: 'DIR-1',
    title: 'the import did what its dry run said',
    ok,
    seen: JSON.stringify({ expected, seen }),
  });
}

interface Newcomer {
  readonly browser: Browser;
  readonly name: string;
  readonly role: Role;
  readonly keys: BundleKeys;
}

/** What somebody got that is not theirs, or did not get that is. */
async function faultsOf(options: OnboardingOptions, { browser, name, role, keys }: Newcomer): Promise<string[]> {
  const { apiUrl, organisationId: organisation, administrator } = options;
  const read = (url: string) => browser.request(`${apiUrl}${url}`);
  const me = JSON.parse((await read('/me')).text) as Me;
  const faults: string[] = [];
  const expect = (ok: boolean, what: string): unknown => ok || faults.push(`${name}: ${what}`);
  expect(me.kind === 'user' && me.role === role, `is ${me.kind} ${me.role}, not user ${role}`);
  expect(me.administrator === (name === administrator), 'has rights of an administrator that are not theirs');
  const own = JSON.parse((await read('/profiles/me')).text) as { role: string };
  expect(own.role === role, `got the profile of ${own.role}`);
  const bundle = await verifyProfileBundle((await read('/profiles/me/bundle')).text, keys, { organisation, role });
  expect(bundle.role === role, 'got a bundle of another role');
  const others = me.administrator ? [] : ROLES.filter((one) => one !== role);
  for (const other of others) {
    const { status } = await read(`/profiles/${other}`);
    expect(status === 403, `could read the profile of ${other}: ${String(status)}`);
  }
  return faults;
}
