import test from 'ava';
import fc from 'fast-check';

import type { Actor } from '../../../contracts/actor.ts';
import { allowedEvents, SESSION_TRANSITIONS, SessionEvent } from '../../../contracts/sessions.ts';
import type { SessionChange, SessionStart, SessionStatus } from '../../../contracts/sessions.ts';
import { ended, leads, nextSession, openedSession, refusalOf, takesPart } from '../../../workflows/sessions/state.ts';
import type { Session, SessionTransition } from '../../../workflows/sessions/state.ts';
import { agent, frozen, milliseconds, person, RUNS, START } from './arbitraries.ts';

const LEAD = agent('agent_lead', { role: 'finance', acts_for: 'user_boss' });
const ACTORS = [
  LEAD,
  agent('agent_member', { role: 'legal' }),
  person('user_guest', { role: 'hr' }),
  person('user_admin', { role: 'support', administrator: true }),
  person('user_stranger', { role: 'marketing' }),
] as const;

const START_OF: SessionStart = {
  organisation_id: 'org_1',
  session_id: 'sess_1',
  trace_id: 'trace',
  creator: LEAD,
  agent_role: 'finance',
  lead: 'agent_lead',
  participants: ['legal', 'user_guest'],
  task_id: null,
  content: 'cont_1',
  idle_seconds: 3_600,
  changes_per_run: 500,
};
const opened = (): Session => frozen(openedSession(START_OF, START));
const by = (actor: Actor) => ({ actor, trace_id: 'trace' });
const eventBy = (type: SessionEvent, actor: Actor = LEAD): SessionChange => ({ type, ...by(actor), content: null });
const inState = (...events: SessionEvent[]): Session =>
  events.reduce((session, event) => nextSession(session, eventBy(event), START), opened());

const STATES: Readonly<Record<Exclude<SessionStatus, 'expired'>, Session>> = {
  pending: opened(),
  active: inState('activate'),
  paused: inState('activate', 'pause'),
  completed: inState('activate', 'complete'),
  failed: inState('fail'),
  cancelled: inState('cancel'),
};
const actors = fc.constantFrom<Actor>(...ACTORS);
const changes: fc.Arbitrary<SessionChange> = fc.oneof(
  fc.tuple(fc.constantFrom(...SessionEvent.options), actors).map(([type, actor]) => eventBy(type, actor)),
  fc.tuple(actors, actors).map(([actor, whom]) => ({ type: 'join' as const, ...by(actor), participant: whom.id })),
  fc.tuple(actors, actors).map(([actor, to]) => ({
    type: 'handoff' as const,
    ...by(actor),
    to: to.id,
    to_role: 'legal' as const,
    content: 'c',
  })),
);
const stories = fc.array(fc.tuple(changes, milliseconds), { minLength: 3, maxLength: 30 });

function* play(story: readonly (readonly [SessionChange, number])[]): Generator<{
  readonly before: Session;
  readonly after: Session;
  readonly change: SessionTransition;
  readonly refused: boolean;
  readonly now: number;
}> {
  let [session, now] = [opened(), START];
  for (const [change, wait] of story) {
    now += wait;
    const before = session;
    const refused = refusalOf(before, change) !== undefined;
    session = refused ? before : frozen(nextSession(before, change, now));
    yield { before, after: session, change, refused, now };
  }
}

test('SESS-1: every state takes exactly its events and leads where the table says', (t) => {
  for (const [status, session] of Object.entries(STATES) as [SessionStatus, Session][])
    for (const event of SessionEvent.options) {
      const refusal = refusalOf(session, eventBy(event));
      const target = SESSION_TRANSITIONS[status][event];
      t.is(refusal?.code, target === undefined ? 'illegal_transition' : undefined, `${event} in ${status}`);
      if (target !== undefined) t.is(nextSession(session, eventBy(event), START).status, target);
    }
});

test('SESS-1: what has ended stays ended, and takes nobody in', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, after, refused } of play(story))
        if (ended(before) && (!refused || after !== before)) return false;
      return true;
    }),
    RUNS,
  );
  t.deepEqual(
    (['completed', 'failed', 'cancelled', 'expired'] as const).map((status) => allowedEvents(status)),
    [[], [], [], []],
  );
});

test('SESS-1: paused_at, completed_at and failed_at tell the state, and only transitions move the clock', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, after, now } of play(story)) {
        if ((after.paused_at !== null) !== (after.status === 'paused')) return false;
        if ((after.completed_at !== null) !== (after.status === 'completed')) return false;
        if ((after.failed_at !== null) !== (after.status === 'failed')) return false;
        if (after.last_transition_at !== (after.status === before.status ? before.last_transition_at : now))
          return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('SESS-2: only those who take part change a session, only the lead adds others and hands it off', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, change, refused } of play(story)) {
        if (refused || !('actor' in change)) continue;
        if (!takesPart(before, change.actor) && !change.actor.administrator) return false;
        const others = change.type === 'handoff' || (change.type === 'join' && change.participant !== change.actor.id);
        if (others && !leads(before, change.actor)) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.is(refusalOf(opened(), eventBy('activate', ACTORS[4]))?.code, 'forbidden');
});

test('SESS-2: participants are never lost, and the lead is always one of them', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { before, after } of play(story)) {
        if (!after.participants.includes(after.lead)) return false;
        if (!before.participants.every((one) => after.participants.includes(one))) return false;
        if (new Set(after.participants).size !== after.participants.length) return false;
      }
      return true;
    }),
    RUNS,
  );
  t.pass();
});

test('SESS-2: a hand-off names the new lead, its role and the context', (t) => {
  const change = { type: 'handoff', ...by(LEAD), to: 'agent_member', to_role: 'legal', content: 'cont_2' } as const;
  const handed = nextSession(STATES.active, change, START);
  t.like(handed, { lead: 'agent_member', lead_role: 'legal', handoff: 'cont_2', status: 'active' });
  t.false(leads(handed, LEAD));
});

test('SESS-4: pause and resume go between active and paused and nowhere else', (t) => {
  t.is(refusalOf(STATES.pending, eventBy('pause'))?.code, 'illegal_transition');
  t.is(refusalOf(STATES.paused, eventBy('activate'))?.code, 'illegal_transition');
  t.is(refusalOf(STATES.active, eventBy('resume'))?.code, 'illegal_transition');
  t.is(nextSession(STATES.paused, eventBy('resume'), START).status, 'active');
});

test('SESS-5: what continue-as-new carries over comes back the same', (t) => {
  fc.assert(
    fc.property(stories, (story) => {
      for (const { after } of play(story))
        if (!fc.stringify(JSON.parse(JSON.stringify(after))).includes(after.lead)) return false;
      const last = [...play(story)].at(-1)?.after;
      t.deepEqual(JSON.parse(JSON.stringify(last)) as unknown, last);
      return true;
    }),
    { numRuns: 50 },
  );
});

test('SESS-5: an idle session expires, and one where something happened lives on', (t) => {
  const until = START + 7_200_000;
  t.is(nextSession(opened(), { type: 'extend', until }, START).expires_at, until);
  t.like(nextSession(opened(), { type: 'expire' }, START), { status: 'expired', paused_at: null });
});
