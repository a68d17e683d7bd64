import type { Problem } from '../../contracts/errors.ts';
import { factsOf } from '../problem.ts';
import { field, lines } from './lines.ts';

/** What a model reads of a failed call: what is wrong, where, and what to do next. */
export function problemText(tool: string, problem: Problem): string {
  const facts = Object.entries(factsOf(problem)).map(([name, fact]) => field(name, inWords(fact)));
  return lines(
    `❌ ${tool} failed: ${problem.code}`,
    problem.detail,
    ...(problem.errors ?? []).map(({ pointer, detail }) => `- ${pointer === '' ? '(the input)' : pointer}: ${detail}`),
    ...facts,
    field('What to do', problem.advice),
    field('Trace ID', problem.trace_id),
  );
}

function inWords(fact: unknown): string | undefined {
  if (typeof fact === 'string' || typeof fact === 'number' || typeof fact === 'boolean') return String(fact);
  if (Array.isArray(fact)) return fact.map((item) => inWords(item) ?? '').join(', ');
  return fact === null || fact === undefined ? undefined : JSON.stringify(fact).slice(0, 500);
}
