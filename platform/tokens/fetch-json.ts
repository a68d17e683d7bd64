const TIMEOUT_MS = 5_000;
const MOST_BYTES = 512 * 1024;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether an address may be asked for keys: https, or this machine itself in development. */
export function isTrustworthy(address: string): boolean {
  const url = URL.parse(address);
  if (!url || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname));
}

/** Reads a JSON document of an identity provider: no redirects, no slow or endless answers. */
export async function fetchJson(address: string): Promise<Record<string, unknown>> {
  if (!isTrustworthy(address)) throw new Error(`${address} is neither https nor this machine.`);
  const response = await fetch(address, {
    redirect: 'error',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${address} answered ${String(response.status)}.`);
  const document: unknown = JSON.parse(await bounded(response, address));
  if (typeof document !== 'object' || document === null) throw new Error(`${address} answered no JSON object.`);
  return document as Record<string, unknown>;
}

async function bounded(response: Response, address: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`${address} answered more than ${String(MOST_BYTES)} bytes.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
