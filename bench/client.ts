import type { BenchStack } from './stack.ts';

/** Calls the API as one of the demo organisation; throws where the answer is an error. */
export function clientOf(bench: BenchStack, name: string) {
  const headers = { authorization: `Bearer ${bench.key(name)}`, 'content-type': 'application/json' };
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(bench.apiUrl + path, init);
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${String(response.status)}: ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    get: (path: string) => call('GET', path),
    post: (path: string, body: unknown) => call('POST', path, body),
  };
}
