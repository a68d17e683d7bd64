/** The managers above somebody, nearest first; ends at the top, at an unknown person, or before anybody comes twice. */
export function managerChain(managerOf: (id: string) => string | null | undefined, id: string): string[] {
  const seen = new Set([id]);
  for (let next = managerOf(id); next !== null && next !== undefined && !seen.has(next); next = managerOf(next)) {
    seen.add(next);
  }
  return [...seen].slice(1);
}
