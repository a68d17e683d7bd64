import { setTimeout as sleep } from 'node:timers/promises';

import { listDirectory } from '../../contracts/agents.ts';
import { openInspector } from '../../temporal/inspect.ts';
import type { Inspector } from '../../temporal/inspect.ts';
import { openAgent } from './agent.ts';
import type { Agent } from './agent.ts';
import type { Members } from './members.ts';
import { openPerson } from './person.ts';
import type { Person } from './person.ts';

/** Where the product runs that a scenario is played on. */
export interface Place {
  readonly apiUrl: string;
  /** Everybody, and how they get in. */
  readonly members: Members;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** Address of the Temporal Web UI. */
  readonly temporalUi?: string | undefined;
  /** More environment for the agents' extension processes. */
  readonly agentEnv?: Readonly<Record<string, string>>;
}

/** Everybody who can act, and a look into Temporal. */
export interface Cast {
  readonly place: Place;
  readonly inspector: Inspector;
  /** An agent by name; its extension process is started at the first call. */
  agent(name: string): Promise<Agent>;
  person(name: string): Person;
  close(): Promise<void>;
}

/** The head of the demo organisation: its administrator, who sees everything. */
export const ADMINISTRATOR = 'Helena Voss';

const ONLINE_WITHIN_MS = 15_000;

/** Opens the cast of a running product; close it when done. */
export async function openCast(place: Place): Promise<Cast> {
  // As an operator reads them: histories are encrypted, and the API decodes them for administrators.
  const administrator = place.members.find(ADMINISTRATOR);
  const authorization = async (): Promise<string> => `Bearer ${await administrator.token()}`;
  const codec = { endpoint: `${place.apiUrl}/codec`, authorization };
  const inspector = await openInspector(place.temporal, codec);
  const agents = new Map<string, Promise<Agent>>();
  const person = (name: string): Person => openPerson(place.members.find(name), place.apiUrl);
  const open = async (name: string): Promise<Agent> => {
    const agent = await openAgent(place.members.find(name), place.apiUrl, place.agentEnv);
    await untilOnline(person(ADMINISTRATOR), agent);
    return agent;
  };
  return {
    place,
    inspector,
    person,
    agent: (name) => {
      const agent = agents.get(name) ?? open(name);
      agents.set(name, agent);
      return agent;
    },
    close: async () => {
      await Promise.allSettled([...agents.values()].map(async (agent) => (await agent).close()));
      await inspector.close();
    },
  };
}

/** Work goes to agents that said they are there; the extension says so on its own soon after its start. */
async function untilOnline(observer: Person, { id, name }: Agent): Promise<void> {
  const deadline = Date.now() + ONLINE_WITHIN_MS;
  for (;;) {
    const { agents } = await observer.call(listDirectory, {});
    if (agents.some((agent) => agent.id === id && agent.status === 'online')) return;
    if (Date.now() > deadline) throw new Error(`${name} did not come online.`);
    await sleep(50);
  }
}
