import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { approvalWorkflowId, getApproval } from '../../contracts/approvals.ts';
import { kindOfId } from '../../contracts/ids.ts';
import type { EntityType } from '../../contracts/principal.ts';
import { getSession, sessionWorkflowId } from '../../contracts/sessions.ts';
import { fetchStatus } from '../../contracts/status.ts';
import { getTask, taskWorkflowId } from '../../contracts/tasks.ts';
import { refusalOf } from './actor.ts';
import type { Actor } from './actor.ts';
import type { Agent } from './agent.ts';
import { ADMINISTRATOR } from './cast.ts';
import type { Cast } from './cast.ts';
import type { Checks } from './checks.ts';
import type { Person } from './person.ts';
import { clearedKinds, kindsIn } from './personal-data.ts';
import type { Timeline } from './timeline.ts';

/** What a scenario is played with. */
export interface StageOptions {
  readonly scenario: string;
  readonly cast: Cast;
  readonly timeline: Timeline;
  readonly checks: Checks;
  /** Hears of every step before it is taken. */
  readonly onStep?: (what: string) => Promise<void>;
}

/** How long views may differ, and news may take, before it counts as a fault. */
const AGREE_WITHIN_MS = 60_000;

/** Where a scenario is played: its actors act step by step, and every step is looked at from the outside. */
export class Stage {
  readonly #options: StageOptions;
  readonly #agents = new Map<string, { agent: Agent; from: number }>();
  readonly #linked = new Set<string>();

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** An agent with an MCP extension process of its own. */
  async agent(name: string): Promise<Agent> {
    const agent = await this.#options.cast.agent(name);
    if (!this.#agents.has(name)) this.#agents.set(name, { agent, from: agent.received.length });
    return agent;
  }

  person(name: string): Person {
    return this.#options.cast.person(name);
  }

  /** The administrator, who looks but takes no part. */
  get observer(): Person {
    return this.person(ADMINISTRATOR);
  }

  /** Where the API is, for what is no operation, and the administrator's token for it. */
  get apiUrl(): string {
    return this.#options.cast.place.apiUrl;
  }
  observerToken(): Promise<string> {
    return this.#options.cast.place.members.find(ADMINISTRATOR).token();
  }

  /** Somebody does something; it stands on the timeline with its id. */
  async step<T>(actor: Actor, what: string, act: () => Promise<T>): Promise<T> {
    await this.#options.onStep?.(what);
    const result = await act();
    const id = idIn(result);
    this.#options.timeline.deed(actor, what, id);
    if (id !== undefined) this.#link(id);
    return result;
  }

  /** Somebody tries what must be refused with this code. */
  async refused(
    requirement: string,
    actor: Actor,
    what: string,
    code: string,
    act: () => Promise<unknown>,
  ): Promise<void> {
    const answer = (await refusalOf(act())) ?? 'not refused';
    this.#options.timeline.deed(actor, `${what}: ${answer}`, undefined);
    this.check(requirement, `${actor.name} ${what}: refused`, answer === code, answer);
  }

  /** Notes what was seen. */
  check(requirement: string, title: string, ok: boolean, seen: unknown = ok ? 'yes' : 'no'): void {
    const text = typeof seen === 'string' ? seen : JSON.stringify(seen);
    this.#options.checks.add({ scenario: this.#options.scenario, requirement, title, ok, seen: text });
    this.#options.timeline.seen(ok, `${title}: ${text}`);
  }

  /** Notes whether two values are the same. */
  same(requirement: string, title: string, seen: unknown, expected: unknown): void {
    const ok = isDeepStrictEqual(seen, expected);
    this.check(requirement, title, ok, ok ? seen : `${JSON.stringify(seen)}, expected ${JSON.stringify(expected)}`);
  }

  /** Repeats a look until it satisfies or the time is over; answers the last one. */
  async until<T>(look: () => Promise<T>, good: (value: T) => boolean, withinMs = AGREE_WITHIN_MS): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const value = await look();
      if (good(value) || Date.now() > deadline) return value;
      await sleep(50);
    }
  }

  /** REST, the agent's MCP tool and resource, and the workflow itself must all tell this status. */
  async agree(requirement: string, id: string, status: string, agent: Agent): Promise<void> {
    const look = (): Promise<Views> => this.#views(id, agent).catch((error: unknown) => ({ failure: String(error) }));
    const good = ({ failure, events: _, ...views }: Views): boolean =>
      failure === undefined && Object.values(views).every((one) => one === status);
    const views = await this.until(look, good);
    const kind = kindOfId(id) ?? 'subject';
    this.check(requirement, `${kind} is ${status}`, good(views), wordsOf(views));
  }

  /** On the wire, every agent of the scenario saw exactly the kinds of personal value it is cleared for. */
  checkClearances(sent: readonly EntityType[]): void {
    for (const { agent, from } of this.#agents.values()) {
      const seen = kindsIn(agent.received.slice(from));
      this.same(
        'GUARD-4',
        `${agent.name} received in clear, of ${sent.join(', ')}`,
        seen,
        clearedKinds(agent.role, sent),
      );
    }
  }

  /** Texts that an agent received in this scenario. */
  received(agent: Agent): readonly string[] {
    return agent.received.slice(this.#agents.get(agent.name)?.from ?? 0);
  }

  async #views(id: string, agent: Agent): Promise<Views> {
    const [rest, tool, resource, workflow] = await Promise.all([
      this.#rest(id),
      agent.call(fetchStatus, { task_id: id }),
      agent.read(`switchboard://${resourceOf(id)}/${id}`),
      this.#options.cast.inspector.look(this.#workflowId(id)),
    ]);
    return {
      REST: rest.status,
      MCP: tool.status,
      'MCP resource': statusIn(resource),
      Temporal: statusIn(workflow.state),
      events: workflow.events,
    };
  }

  #rest(id: string): Promise<{ status: string }> {
    switch (kindOfId(id)) {
      case 'approval':
        return this.observer.call(getApproval, { approval_id: id });
      case 'session':
        return this.observer.call(getSession, { session_id: id });
      default:
        return this.observer.call(getTask, { task_id: id });
    }
  }

  #workflowId(id: string): string {
    const { organisationId: organisation_id } = this.#options.cast.place.members;
    const build = { approval: approvalWorkflowId, session: sessionWorkflowId, task: taskWorkflowId };
    return build[subjectOf(id)](organisation_id, id);
  }

  #link(id: string): void {
    const { temporalUi, temporal } = this.#options.cast.place;
    const kind = kindOfId(id);
    const isWorkflow = kind === 'task' || kind === 'approval' || kind === 'session';
    if (temporalUi === undefined || !isWorkflow || this.#linked.has(id)) return;
    this.#linked.add(id);
    const workflow = encodeURIComponent(this.#workflowId(id));
    this.#options.timeline.link(`${temporalUi}/namespaces/${temporal.namespace}/workflows/${workflow}`);
  }
}

interface Views {
  readonly REST?: string | undefined;
  readonly MCP?: string | undefined;
  readonly 'MCP resource'?: string | undefined;
  readonly Temporal?: string | undefined;
  readonly events?: number;
  readonly failure?: string;
}

function wordsOf({ events, failure, ...views }: Views): string {
  if (failure !== undefined) return failure;
  const places = Object.keys(views).join(', ');
  const [first, ...others] = new Set(Object.values(views));
  if (others.length === 0) return `${String(first)} in ${places} (${String(events)} events)`;
  return Object.entries(views)
    .map(([place, status]) => `${place} ${String(status)}`)
    .join(', ');
}

const subjectOf = (id: string): 'approval' | 'session' | 'task' => {
  const kind = kindOfId(id);
  return kind === 'approval' || kind === 'session' ? kind : 'task';
};
const resourceOf = (id: string): string => `${subjectOf(id)}s`;

const statusIn = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'string'
    ? value.status
    : undefined;

const ID_FIELDS = ['id', 'approval_id', 'notification_id', 'task_id', 'session_id'] as const;

/** The id of what a call was about. */
function idIn(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  const fields = result as Record<string, unknown>;
  return ID_FIELDS.map((field) => fields[field]).find((value) => typeof value === 'string');
}
