/** A map that forgets what was not used for longest, once it holds `size` entries. */
export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

/** Makes an empty one. A Map keeps the order of insertion: its first key is the one used longest ago. */
export function createRecent<V>(size: number): Recent<V> {
  const entries = new Map<string, V>();
  const set = (key: string, value: V): void => {
    entries.delete(key);
    entries.set(key, value);
    const oldest = entries.size > size ? entries.keys().next() : undefined;
    if (oldest && !oldest.done) entries.delete(oldest.value);
  };
  const get = (key: string): V | undefined => {
    const value = entries.get(key);
    if (value !== undefined) set(key, value);
    return value;
  };
  return { get, set };
}
