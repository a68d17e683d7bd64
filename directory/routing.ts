import { createHash } from 'node:crypto';

import type { Role } from '../contracts/principal.ts';

/** An agent that could get a task, as it is now. */
export interface Candidate {
  readonly agent_id: string;
  readonly role: Role;
  readonly skills: readonly string[];
  /** How many tasks it works on at once. */
  readonly capacity: number;
  readonly open_tasks: number;
  readonly version: string;
  /** Share of the work that its version gets, against the other versions' weights. */
  readonly rollout_weight: number;
  readonly online: boolean;
  /** Whether it worked on an earlier task of the same session. */
  readonly had_session: boolean;
  /** The user it acts for; null for an agent of the whole role. */
  readonly acts_for: string | null;
}

/** What is to be assigned. */
export interface AssignmentRequest {
  readonly task_id: string;
  readonly session_id: string | null;
  readonly role: Role;
  readonly skills: readonly string[];
  /** Only agents that act for this user. */
  readonly for_user?: string | null;
}

/** Who gets it, why, and what spoke against each of the others. */
export interface Assignment {
  readonly assignee: string | null;
  readonly reason: string;
  readonly considered: readonly { readonly agent_id: string; readonly verdict: Verdict }[];
}
export type Verdict = 'eligible' | 'other role' | 'other user' | 'lacks skills' | 'offline' | 'at capacity';

function judge(candidate: Candidate, { role, skills, for_user = null }: AssignmentRequest): Verdict {
  if (candidate.role !== role) return 'other role';
  if (for_user !== null && candidate.acts_for !== for_user) return 'other user';
  if (!skills.every((skill) => candidate.skills.includes(skill))) return 'lacks skills';
  if (!candidate.online) return 'offline';
  return candidate.open_tasks < candidate.capacity ? 'eligible' : 'at capacity';
}

/** A number in (0, 1) that is always the same for the same text. */
function fraction(text: string): number {
  return (createHash('sha256').update(text).digest().readUInt32BE() + 0.5) / 2 ** 32;
}

/**
 * Weighted rendezvous hashing: each version gets its share of keys, and a change of one version's weight moves keys only
 * to or from that version.
 */
function chooseVersion(candidates: readonly Candidate[], key: string): string {
  const weights = new Map<string, number>();
  for (const { version, rollout_weight } of candidates) {
    weights.set(version, Math.max(0, rollout_weight, weights.get(version) ?? 0));
  }
  const anyWeight = [...weights.values()].some((weight) => weight > 0);
  const scored = [...weights].map(([version, weight]) => ({
    version,
    score: (anyWeight ? weight : 1) / -Math.log(fraction(`${key}|${version}`)),
  }));
  const best = scored.reduce((a, b) => (b.score > a.score || (b.score === a.score && b.version < a.version) ? b : a));
  return best.version;
}

const load = ({ open_tasks, capacity }: Candidate): number => open_tasks / capacity;
const byLoad = (a: Candidate, b: Candidate): number => load(a) - load(b) || (a.agent_id < b.agent_id ? -1 : 1);
const leastLoaded = (candidates: readonly Candidate[]): Candidate | undefined => [...candidates].sort(byLoad)[0];

// The verdict of those that came furthest says best what is missing.
const NOBODY: readonly (readonly [Verdict, string])[] = [
  ['at capacity', 'all online agents with the skills are at capacity'],
  ['offline', 'no agent with the skills is online'],
  ['lacks skills', 'no agent of the role has all of the skills'],
  ['other user', 'no agent of the role acts for the user'],
];

/**
 * Chooses who gets a task of a role: of the agents that have the skills, are online and below capacity, one that knows
 * the session, else one of the version that the roll-out gives the session, the least loaded first. Always the same
 * answer for the same input, in whatever order candidates come.
 */
export function chooseAssignee(candidates: readonly Candidate[], request: AssignmentRequest): Assignment {
  const considered = candidates.map((candidate) => ({
    agent_id: candidate.agent_id,
    verdict: judge(candidate, request),
  }));
  const eligible = candidates.filter((_, at) => considered[at]?.verdict === 'eligible');
  const answer = (assignee: Candidate | undefined, reason: string): Assignment => ({
    assignee: assignee?.agent_id ?? null,
    reason,
    considered,
  });

  if (eligible.length === 0) {
    const why = NOBODY.find(([verdict]) => considered.some((one) => one.verdict === verdict))?.[1];
    return answer(undefined, `waits for the role ${request.role}: ${why ?? 'the role has no agents'}`);
  }
  const known = leastLoaded(eligible.filter(({ had_session }) => had_session));
  if (known) return answer(known, 'worked on this session before');
  const version = chooseVersion(eligible, request.session_id ?? request.task_id);
  const ofVersion = eligible.filter((candidate) => candidate.version === version);
  const chosen = leastLoaded(ofVersion);
  const tasks = `${String(chosen?.open_tasks)} of ${String(chosen?.capacity)} tasks`;
  return answer(chosen, `least loaded (${tasks}) of ${String(ofVersion.length)} online on version ${version}`);
}
