import type { Json } from '../contracts/json.ts';

type Container = Json[] | Record<string, Json>;

// Plain assignment would drop a key named __proto__.
const define = (target: object, key: string, value: Json): void => {
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
};

/** A copy of a JSON value with every string and key changed; nesting costs no stack. */
export function mapStrings(root: Json, change: (text: string) => string): Json {
  const open: [from: Container, to: Container][] = [];
  const place = (value: Json): Json => {
    if (typeof value === 'string') return change(value);
    if (typeof value !== 'object' || value === null) return value;
    const copy: Container = Array.isArray(value) ? [] : {};
    open.push([value, copy]);
    return copy;
  };
  const result = place(root);
  for (let next = open.pop(); next; next = open.pop()) {
    const [from, to] = next;
    const changeKey = Array.isArray(from) ? (key: string) => key : change;
    for (const [key, value] of Object.entries(from)) define(to, changeKey(key), place(value));
  }
  return result;
}

/** Every string and key of a JSON value, in no particular order. */
export function stringsOf(root: Json): Set<string> {
  const strings = new Set<string>();
  mapStrings(root, (text) => {
    strings.add(text);
    return text;
  });
  return strings;
}
