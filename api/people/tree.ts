import type { OrgNode } from '../../contracts/directory.ts';
import type { PersonRow } from '../../db/people/users.ts';

type Leaf = Pick<PersonRow, 'id' | 'external_id' | 'name' | 'email' | 'role' | 'department' | 'manager_id'>;

/** A tree as deep and as large as one answer may be. */
const TREE_MOST = { people: 10_000, levels: 50 } as const;

interface Tree {
  readonly tree: OrgNode[];
  readonly omitted: number;
}

/**
 * Everybody below their manager; whose manager is not there stands at the top. Level by level and bounded, since charts may
 * be deeper than JSON can be written. Undefined where `below` is not there.
 */
export function treeOf(people: readonly Leaf[], below?: string, most: Most = TREE_MOST): Tree | undefined {
  const known = new Map(people.map((person) => [person.id, person]));
  const reports = new Map<string | null, Leaf[]>();
  for (const person of people) {
    const manager = person.manager_id !== null && known.has(person.manager_id) ? person.manager_id : null;
    const beside = reports.get(manager);
    if (beside) beside.push(person);
    else reports.set(manager, [person]);
  }
  const top = below === undefined ? undefined : known.get(below);
  if (below !== undefined && !top) return undefined;
  const tops = (top ? [top] : (reports.get(null) ?? [])).slice(0, most.people);
  const tree = tops.map(nodeOf);
  let shown = tree.length;
  let level: GrowingNode[] = tree;
  for (let depth = 1; depth < most.levels && level.length > 0; depth += 1) {
    const next: GrowingNode[] = [];
    for (const node of level) {
      const under = (reports.get(node.id) ?? []).slice(0, most.people - shown).map(nodeOf);
      if (under.length > 0) node.reports = under;
      shown += under.length;
      next.push(...under);
    }
    level = next;
  }
  for (const node of every(tree)) {
    const omitted = (reports.get(node.id)?.length ?? 0) - (node.reports?.length ?? 0);
    if (omitted > 0) node.reports_omitted = omitted;
  }
  return { tree, omitted: (top ? countBelow(reports, top) : people.length) - shown };
}

interface Most {
  readonly people: number;
  readonly levels: number;
}
type GrowingNode = OrgNode & { reports?: GrowingNode[]; reports_omitted?: number };

const nodeOf = ({ id, external_id, name, role, email, department }: Leaf): GrowingNode => ({
  id,
  user_id: external_id,
  name,
  role,
  email,
  department,
});

function* every(tops: readonly GrowingNode[]): Generator<GrowingNode> {
  const left = [...tops];
  for (let node = left.pop(); node; node = left.pop()) {
    left.push(...(node.reports ?? []));
    yield node;
  }
}

/** Somebody and everybody below. */
function countBelow(reports: ReadonlyMap<string | null, readonly Leaf[]>, top: Leaf): number {
  const left = [top];
  let count = 0;
  for (let person = left.pop(); person; person = left.pop()) {
    count += 1;
    for (const under of reports.get(person.id) ?? []) left.push(under);
  }
  return count;
}
