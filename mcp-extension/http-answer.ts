import type { Operation } from '../contracts/operation.ts';
import { ApiProblem, localProblem, problemFromAnswer } from './problem.ts';

/** Reads an answer: the operation's output, or the problem as a throw. */
export async function readAnswer(operation: Operation, response: Response, traceId: string): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new ApiProblem(problemFromAnswer(response.status, parseJson(text), traceId));
  const parsed = operation.output.safeParse(envelope(operation, response, text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0];
  const detail =
    `The API did what was asked but its answer is not in the form this version knows ` +
    `(${where?.path.join('.') || 'body'}: ${where?.message ?? 'not valid'}). Do not repeat the call.`;
  const advice = 'Bring the MCP extension and the API to the same version.';
  throw new ApiProblem(localProblem({ code: 'internal', detail, advice, traceId }));
}

/** Gives the output its own shape back where REST sends a bare list or plain text. */
function envelope(operation: Operation, response: Response, text: string): unknown {
  if (operation.textField !== undefined) return { [operation.textField]: text };
  const body = parseJson(text);
  if (operation.bareList === undefined || !Array.isArray(body)) return body;
  return { [operation.bareList]: body, next_cursor: nextCursor(response.headers.get('link')) };
}

/** The cursor in `Link: <…?cursor=X>; rel="next"` (RFC 8288); null at the end of the list. */
export function nextCursor(link: string | null): string | null {
  for (const [, target = '', params = ''] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel="?next"?/i.test(params)) return new URL(target, 'http://localhost').searchParams.get('cursor');
  }
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
