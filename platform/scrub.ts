const REDACTED = '[redacted]';
const DEEPEST = 100;

/** Ends of names (letters and digits only, lower case) whose values are never written. */
const SECRET_NAME =
  /(?:authorization|token|secret|secretkey|password|passwd|passphrase|apikey|approverkey|accesskey|privatekey|signingkey|cookie|credentials?)$/;

const SECRET_VALUES: readonly (readonly [RegExp, string])[] = [
  [/\bsbk_[\w-]+/g, REDACTED],
  [/\bsbp_[\w-]+/g, REDACTED],
  [/\bwhsec_[\w+/=-]+/g, REDACTED],
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
  [/(\b[a-z][\w+.-]*:\/\/[^\s:/@]*:)[^\s/@]+@/gi, `$1${REDACTED}@`],
  [
    /\b((?:api[_-]?key|password|passwd|secret|access_token|refresh_token)["']?\s*[=:]\s*["']?)[^\s"'&,;}]+/gi,
    `$1${REDACTED}`,
  ],
];

/** Whether the value under this name is a secret whatever it looks like (`X-Api-Key`, `client_secret`). */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name.toLowerCase().replace(/[^a-z0-9]/g, ''));

/** The text with API keys, bearer tokens, webhook secrets and passwords in addresses taken out. */
export function scrubText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRET_VALUES) clean = clean.replace(pattern, replacement);
  return clean;
}

/** A copy fit for a log: every secret replaced, at any depth; errors, maps and cycles made plain. */
export function scrub(value: unknown, seen: ReadonlySet<object> = new Set()): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return '[circular]';
  if (seen.size >= DEEPEST) return '[too deep]';
  return scrubObject(value, new Set([...seen, value]));
}

function scrubObject(value: object, seen: ReadonlySet<object>): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${String(value.byteLength)} bytes]`;
  if (Array.isArray(value)) return value.map((item) => scrub(item, seen));
  if (value instanceof Set) return [...value].map((item) => scrub(item, seen));
  if (value instanceof Map)
    return scrubEntries(
      [...value].map(([key, item]) => [String(key), item]),
      seen,
    );
  if (value instanceof Error) return scrubEntries([...errorEntries(value), ...Object.entries(value)], seen);
  return scrubEntries(readEntries(value), seen);
}

function errorEntries(error: Error): [string, unknown][] {
  const entries: [string, unknown][] = [
    ['type', error.name],
    ['message', error.message],
    ['stack', error.stack],
  ];
  if (error.cause !== undefined) entries.push(['cause', error.cause]);
  if (error instanceof AggregateError) entries.push(['errors', error.errors]);
  return entries;
}

/** Own properties; a getter that throws must not lose the whole log line. */
function readEntries(value: object): [string, unknown][] {
  return Object.keys(value).map((key) => {
    try {
      return [key, (value as Record<string, unknown>)[key]];
    } catch {
      return [key, '[unreadable]'];
    }
  });
}

function scrubEntries(entries: readonly (readonly [string, unknown])[], seen: ReadonlySet<object>): unknown {
  const clean: Record<string, unknown> = {};
  for (const [key, item] of entries) {
    const secret = isSecretName(key) && item !== null && item !== undefined && typeof item !== 'boolean';
    clean[scrubText(key)] = secret ? REDACTED : scrub(item, seen);
  }
  return clean;
}
