import { EventSourceParserStream } from 'eventsource-parser/stream';

import type { BenchStack } from './stack.ts';

type Fields = Record<string, unknown>;

/** Calls the API as one of the demo organisation; throws where the answer is an error. */
export function clientOf(bench: BenchStack, name: string) {
  const member = bench.member(name);
  const headersNow = async () => ({
    authorization: `Bearer ${await member.token()}`,
    'content-type': 'application/json',
  });
  const call = async (method: string, path: string, body?: unknown): Promise<Fields> => {
    const headers = await headersNow();
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(bench.apiUrl + path, init);
    const answer = (await response.json()) as Fields;
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${String(response.status)}: ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    get: (path: string) => call('GET', path),
    post: (path: string, body: unknown) => call('POST', path, body),
    /** Hears the events of a topic until the returned function is called. */
    async listen(topic: string, hear: (event: Fields) => void): Promise<() => Promise<void>> {
      const stop = new AbortController();
      const headers = await headersNow();
      const response = await fetch(`${bench.apiUrl}/stream?topics=${topic}`, { headers, signal: stop.signal });
      if (!response.body) throw new Error('The stream has no body.');
      const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      // It ends by `stop`, which rejects what is being read.
      const done = (async () => {
        for await (const { data } of events) hear(JSON.parse(data) as Fields);
      })().catch(() => undefined);
      return async () => {
        stop.abort();
        await done;
      };
    },
  };
}
