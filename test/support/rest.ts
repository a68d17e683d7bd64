/** One answer of the API. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** Calls the API as somebody; never throws for an HTTP status. */
export async function rest<T = Record<string, never>>(
  apiUrl: string,
  key: string | undefined,
  method: string,
  path: string,
  { body, headers = {} }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer<T>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(apiUrl + path, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, body: (json ? JSON.parse(text) : text) as T, headers: response.headers };
}

/** Repeats a look until it satisfies; fails with the last value after the time. */
export async function eventually<T>(
  look: () => Promise<T>,
  good: (value: T) => boolean,
  milliseconds = 15_000,
): Promise<T> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    if (Date.now() > deadline)
      throw new Error(`Not within ${String(milliseconds)} ms: ${JSON.stringify(value).slice(0, 2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
